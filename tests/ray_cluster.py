"""A Ray cluster of two nodes on this machine, driven through its standard input.

Prints the address of the cluster. Ends the second node on the line "stop", and the
cluster when its input ends.
"""

import sys

from ray.cluster_utils import Cluster


def main() -> None:
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "include_dashboard": False},
    )
    second = cluster.add_node(num_cpus=1)
    print(cluster.address, flush=True)
    for line in sys.stdin:
        if line.strip() == "stop":
            cluster.remove_node(second, allow_graceful=False)
            print("stopped", flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main()
