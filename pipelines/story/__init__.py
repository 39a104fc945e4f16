"""Stories: what is told, how texts become one, how it is drawn, narrated and rendered."""
