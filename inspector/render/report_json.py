"""A report as JSON: the contract that scripts rely on. Pure."""

import json
from typing import Any

from inspector.model.prediction import Prediction
from inspector.model.report import Finding, Report, Verdict
from inspector.render.hops_json import path_dict
from inspector.render.names_json import resolution_dict
from inspector.render.translations_json import translation_dict

SCHEMA = "dnetsniff.report/1"


def to_dict(report: Report) -> dict[str, Any]:
    """Return the report as plain values; times are integer nanoseconds."""
    question = report.plan.question
    rtt = report.statistics.rtt_ns
    return {
        "schema": SCHEMA,
        "question": {
            "source": question.source,
            "destination": question.destination,
            "protocol": question.protocol.value,
            "port": question.port,
            "count": question.count,
        },
        "engine": {"name": report.engine.name, "version": report.engine.version},
        "resolution": resolution_dict(report.plan.resolution, report.names),
        "publication": _publication(report),
        "verdict": _verdict(report.verdict),
        "statistics": {
            "sent": report.statistics.sent,
            "received": report.statistics.received,
            "rtt_ns": {"min": rtt.min, "median": rtt.median, "max": rtt.max} if rtt else None,
        },
        "path_kind": report.plan.kind.value,
        "prediction": _prediction(report.prediction),
        "disagreements": [
            {"kind": each.kind.value, "point": each.point, "text": each.text} for each in report.disagreements
        ],
        "paths": [path_dict(each) for each in report.paths],
        "story": [{"text": each.text, "evidence": list(each.evidence)} for each in report.story],
        "translations": [translation_dict(each) for each in report.translations],
        "state": [{"text": each.text, "evidence": list(each.evidence)} for each in report.state],
        "findings": [_finding(each) for each in report.findings],
        "blind_spots": [{"point": each.point, "why": each.why} for each in report.blind_spots],
        "side_effects": list(report.side_effects),
        "interrupted": report.interrupted,
        "departed": list(report.departed),
    }


def render_json(report: Report) -> str:
    """Return the report as one JSON object, safe on any terminal: everything beyond ASCII is escaped."""
    return json.dumps(to_dict(report), indent=2)


def _publication(report: Report) -> dict[str, Any] | None:
    """Return who is behind a published port, and what carried the probes there."""
    found = report.plan.publication
    if found is None:
        return None
    return {
        "container": found.container,
        "address": found.address,
        "port": found.port,
        "carriage": found.carriage.value,
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    rule = verdict.rule
    return {
        "outcome": verdict.outcome.value,
        "summary": verdict.summary,
        "last_seen": str(verdict.last_seen) if verdict.last_seen else None,
        "never_seen": [str(point) for point in verdict.never_seen],
        "rule": {
            "family": rule.family,
            "table": rule.table,
            "chain": rule.chain,
            "position": rule.position,
            "text": rule.text,
            "owner": rule.owner,
        }
        if rule
        else None,
        "reason": verdict.reason,
    }


def _prediction(prediction: Prediction | None) -> dict[str, Any] | None:
    return {"outcome": prediction.outcome.value, "why": prediction.why} if prediction else None


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "title": finding.title,
        "evidence": list(finding.evidence),
        "remedy": list(finding.remedy),
    }
