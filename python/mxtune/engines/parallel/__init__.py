"""Training by several processes of this machine, which take the same steps: what is the same with every engine.

`Replicas` is the `Executor` that gives each its share of a batch. What a process does with it is up to the engine's
`Replica`, and so is how gradients are summed.
"""
