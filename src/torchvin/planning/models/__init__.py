"""The models that a planner learns: reward, transition, latent MDP."""
