"""Training data behind one face: batches, folders, shards, augmentation."""
