"""Sessions in processes of their own, behind the one HTTP port: as many as there are cores, and each may die alone."""
