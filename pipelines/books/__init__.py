"""Books: read from files, cut into chapters, made into audiobooks by the shelf."""
