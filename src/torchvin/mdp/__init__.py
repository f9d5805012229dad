"""What moves do: motion models, transitions, rollouts. The only dynamics."""
