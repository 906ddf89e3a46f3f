#!/bin/bash
# An array job: sbatch docs/examples/slurm.sh /data/photos /data/safe
#SBATCH --job-name=faceanon
#SBATCH --array=0-15
#SBATCH --cpus-per-task=8
#SBATCH --mem-per-cpu=1G
#SBATCH --time=04:00:00
# Each part picks up where it was when the scheduler starts it again.
#SBATCH --requeue
set -euo pipefail
faceanon blackbar "$1" "$2" \
    --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" \
    --jobs "$SLURM_CPUS_PER_TASK" \
    --state "$2.state" \
    --report "$2.report-$SLURM_ARRAY_TASK_ID.jsonl"
