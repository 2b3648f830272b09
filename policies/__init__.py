"""What a Gymnasium or Stable-Baselines3 user imports."""
