"""The contenders: one module each, `WORKLOADS` maps a workload to the function that runs it."""
