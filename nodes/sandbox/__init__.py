"""The sandbox: a consortium that stays up, takes trades from outside and settles them by itself."""
