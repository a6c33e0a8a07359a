"""Where a fault is made to happen: for each command its phases in order, and the function that each begins with.

A place is (module, function or method as the stage finds it, which call of it). Where that function goes, its place
here goes with it: a run that never comes by fails its test.
"""

_SESSION, _STREAMING = "inspector.capture.session", "inspector.capture.streaming"
_WRITING = ("inspector.archive", "_write", 2)
"""The description is in the folder, the frames are not."""
_COMMENTING = ("inspector.archive", "_write", 3)
"""What was recorded lies there; the comments come."""
_SHOWING = ("inspector.cli.thinking", "write", 1)

_ENGINE = "inspector.discover.engine"

TRACE = {
    "survey": (_ENGINE, "Engine.overview", 1),
    "namespaces": (_ENGINE, "Engine.processes", 1),
    "looking": ("inspector.discover.survey", "read_stacks", 1),
    "lookup": ("inspector.capture.asking", "look_up", 1),
    "plan": ("inspector.pipeline", "make_plan", 1),
    "opening taps": ("inspector.capture.opening", "_begin_taps", 2),
    "probing": (_SESSION, "_Run._send", 2),
    "drain": ("inspector.capture.listening", "Listening.drain", 2),
    "after-look": ("inspector.discover.tracked", "with_conntrack", 1),
    "writing": _WRITING,
    "thinking": ("inspector.cli.run", "review", 1),
    "showing": _SHOWING,
    "commenting": _COMMENTING,
}
"""The lookup has taps and a drain of its own, so those of the probes are the second."""

RESOLVE = {
    "survey": TRACE["survey"],
    "namespaces": TRACE["namespaces"],
    "looking": TRACE["looking"],
    "files": ("inspector.discover.resolver", "resolver_setup", 1),
    "opening taps": ("inspector.capture.opening", "_begin_taps", 1),
    "asking": ("inspector.capture.asking", "_Asking._ask", 1),
    "drain": ("inspector.capture.listening", "Listening.drain", 1),
    "writing": _WRITING,
    "thinking": TRACE["thinking"],
    "showing": _SHOWING,
    "commenting": _COMMENTING,
}

CAPTURE = {
    "survey": ("inspector.following", "survey", 1),
    "opening taps": ("inspector.following", "_opened", 1),
    "listening": (_STREAMING, "Streaming._carry_on", 1),
    "writing": ("inspector.capture.capture_file", "CaptureFile._put", 2),
    "drain": (_STREAMING, "Streaming._drain", 1),
    "showing": ("inspector.cli.capture", "render_summary", 1),
}

EXPLAIN = {
    "loading": ("inspector.cli.explain", "_explain_recording", 1),
    "thinking": ("inspector.cli.explain", "_reviewed", 1),
    "showing": _SHOWING,
    "writing": _WRITING,
}

LAB = {
    "building": ("inspector.lab.build", "_build", 1),
    "half-built": ("inspector.lab.build", "_start", 3),
    "showing": ("inspector.cli.lab", "_say", 1),
}

LESSON = {
    "building": ("inspector.course.opening", "_build", 1),
    "half-built": ("inspector.lab.build", "_start", 3),
    "teaching": ("inspector.course.teach", "Teacher.teach", 1),
    "probing": (_SESSION, "_Run._send", 1),
    "taking down": ("inspector.course.opening", "down", 1),
}

PLACES = {
    "trace": TRACE,
    "resolve": RESOLVE,
    "capture": CAPTURE,
    "explain": EXPLAIN,
    "lab": LAB,
    "lesson": LESSON,
}
