"""Who speaks: access tokens are verified here, without asking anybody."""
