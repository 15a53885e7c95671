"""What every model needs, whatever it computes: weights on disk, preparation, a worker process, an endpoint elsewhere."""
