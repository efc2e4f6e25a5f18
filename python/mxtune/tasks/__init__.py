"""What is learned: classification, several labels a picture, numbers; their losses and metrics."""
