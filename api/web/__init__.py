"""The pages: rendered on the server, in English and Chinese, without anything from elsewhere."""
