"""Files of training: checkpoints, torch's weights, QONNX."""
