"""Who does the jobs: worker processes of this machine, or a Ray cluster."""
