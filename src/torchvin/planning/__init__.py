"""Planning: reward and transition models, and the operator."""
