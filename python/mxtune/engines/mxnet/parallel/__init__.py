"""Training by several processes, whose gradients are summed in the order of the processes.

Not by MXNet's own `dist_sync` kvstore, although it works: it adds gradients in the order in which they come, so that
four workers gave 12 different sums of the same arrays in 60 steps, while the same seed has to give the same bytes.
It is also two more kinds of process, and a port: any user of the machine can have a server unpickle what he sends.
"""
