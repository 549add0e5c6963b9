"""The built-in faces: drawn once as sprites, composed anew for every frame."""
