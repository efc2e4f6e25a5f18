"""Training by several processes, which take the same steps: what is the same with every engine.

`Replicas` is the `Executor` in front of a `Team`, in which each has its share of a batch: `Processes` of this machine,
or what somebody else starts on others. What a process does with its share is up to the engine's replica.
"""
