"""What a planner learns: reward, transition, latent MDP."""
