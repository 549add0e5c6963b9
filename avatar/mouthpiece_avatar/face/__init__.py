"""The built-in faces: drawn once as sprites, put together anew for every frame."""
