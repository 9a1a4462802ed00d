"""The screens of `im chat`."""
