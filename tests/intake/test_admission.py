"""Admission of records: whatever one of them causes, the others are applied."""

from __future__ import annotations

from structlog.testing import capture_logs

from tests.admission.made import admission, record
from watchroom.admission.admit import Admission
from watchroom.events import reasons
from watchroom.events.record import Arrived, Record
from watchroom.intake.admission import BatchAdmission


class Faulty(Admission):
    """Rules with a fault that one record triggers."""

    def admit(self, record: Record) -> Arrived:
        if record.offset == 6:
            raise ZeroDivisionError
        return super().admit(record)


def test_a_record_whose_admission_fails_becomes_a_letter_and_the_rest_is_admitted() -> None:
    """It would fail again after a restart, so ending the worker would stop everything, and a rebuild too."""
    rules = Faulty("calls", 0, 1, history_sources=(), lateness_ms=1000, future_ms=1000, keeping_ms=1000)
    records = [record()._replace(offset=offset) for offset in (5, 6, 7)]
    with capture_logs() as logs:
        admitted = BatchAdmission("watchroom.calls", 0, rules).admit(records, known=())
    assert [arrived.offset for arrived in admitted.by_subject["17"]] == [5, 7]
    (refused,) = admitted.refused
    assert (refused.record.offset, refused.why.reason) == (6, reasons.UNREADABLE)
    assert "ZeroDivisionError" in refused.why.detail
    assert [(line["log_level"], line["offset"]) for line in logs] == [("error", 6)]


def test_a_record_refused_by_the_rules_keeps_their_reason() -> None:
    """Only an unforeseen fault is `unreadable`."""
    admitted = BatchAdmission("watchroom.calls", 0, admission()).admit([record(key=b"18")], known={"17"})
    assert [refused.why.reason for refused in admitted.refused] == [reasons.WRONG_KEY]
