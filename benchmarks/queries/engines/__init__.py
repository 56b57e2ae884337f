"""The engines: Bellwether through HTTP, and those beside it in processes of their own."""
