"""Where a fault is made to happen: for each command its phases in order, and the function that each begins with.

A place is (module, function or method as the stage finds it, which call of it). Where that function goes, its place here
goes with it: a run that never comes by fails its test.
"""

_SESSION, _STREAMING = "inspector.capture.session", "inspector.capture.streaming"
_RUN = "inspector.cli.run"
_WRITING = ("inspector.archive", "_write", 2)
"""The description is in the folder, the frames are not."""

TRACE = {
    "survey": ("inspector.host", "survey", 1),
    "looking": ("inspector.discover.survey", "read_stacks", 1),
    "lookup": ("inspector.capture.asking", "look_up", 1),
    "plan": ("inspector.pipeline", "make_plan", 1),
    "opening taps": ("inspector.capture.opening", "_begin_taps", 2),
    "probing": (_SESSION, "_Run._send", 2),
    "drain": ("inspector.capture.listening", "Listening.drain", 2),
    "after-look": ("inspector.discover.tracked", "with_conntrack", 1),
    "thinking": ("inspector.pipeline", "review", 1),
    "showing": (_RUN, "show", 1),
    "writing": _WRITING,
}
"""The lookup has taps and a drain of its own, so those of the probes are the second."""

RESOLVE = {
    "survey": TRACE["survey"],
    "looking": TRACE["looking"],
    "files": ("inspector.discover.resolver", "resolver_setup", 1),
    "opening taps": ("inspector.capture.opening", "_begin_taps", 1),
    "asking": ("inspector.capture.asking", "_Asking._ask", 1),
    "drain": ("inspector.capture.listening", "Listening.drain", 1),
    "thinking": TRACE["thinking"],
    "showing": TRACE["showing"],
    "writing": _WRITING,
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
    "loading": ("inspector.cli.explain", "load_with_origin", 1),
    "thinking": ("inspector.cli.explain", "_reviewed", 1),
    "showing": ("inspector.cli.explain", "show", 1),
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
