"""``mxtune serve``: a model behind HTTP. `app` is the service, `running` its processes.

A request is read and limited (`incoming`), its images are made ready in threads (`ready`), gathered with those of other
requests (`batching`) and answered by one thread that alone runs the model (`answering`).
"""
