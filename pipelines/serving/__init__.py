"""Speech over HTTP: an engine that speaks for many at once, its routes, and the doors before them.

    app = create_app(doors, [speech_routes(engine, limits)], engine=engine)

`create_app` is what every server of the project is made with: the doors refuse who may not come in
whatever routes stand behind them.
"""
