"""How a told story is shipped: film, page, subtitles, sound. Each writer reads a Timeline."""
