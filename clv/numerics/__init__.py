"""What the models' likelihoods and expectations are computed with."""
