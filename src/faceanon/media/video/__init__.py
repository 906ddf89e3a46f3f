"""Films with sound in the containers of cameras and of the web, by the extra `video`.

What a film shows, and its sounds, come through; nothing else that its file holds does.
"""
