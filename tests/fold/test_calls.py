"""What calls contribute: the definitions in schemas/measures, sentence by sentence."""

from __future__ import annotations

import pytest

from tests.fold.said import adds, contribution, open_in, placed, said, state_of
from watchroom.events.record import Event
from watchroom.streams import STREAMS

PRESENTED = said("call.presented", "08:59:58", line="999")
QUEUED = said("call.queued", "09:00:00", line="999")
ANSWERED = said("call.answered", "09:00:08")
ABANDONED = said("call.abandoned", "09:00:30")
ENDED = said("call.ended", "09:05:00")


def test_a_call_counts_at_the_time_it_was_presented() -> None:
    """The national operator's handover is the first moment of a call."""
    assert adds("call_volume", PRESENTED, QUEUED) == {"line=999 count": 1}
    assert placed("call_volume", PRESENTED, QUEUED) == {"08:59:50"}


def test_a_call_that_was_only_queued_counts_at_the_time_it_was_queued() -> None:
    """Nobody presents 101 calls."""
    assert placed("call_volume", QUEUED) == {"09:00:00"}


def test_the_first_of_several_presentations_counts() -> None:
    """The earliest presented, queued, answered and abandoned events count."""
    again = [said(event.type, "09:10:00", "again") for event in (PRESENTED, QUEUED, ANSWERED, ABANDONED)]
    state = state_of(PRESENTED, QUEUED, ANSWERED, ABANDONED, *again)
    times = (state.presented_ms, state.queued_ms, state.answered_ms, state.abandoned_ms)
    assert times == (PRESENTED.time_ms, QUEUED.time_ms, ANSWERED.time_ms, ABANDONED.time_ms)


def test_the_line_is_that_of_the_earliest_event_with_a_line() -> None:
    """A transfer to another queue does not make it another call."""
    first = said("call.presented", "08:59:58")
    assert adds("call_volume", first, QUEUED, said("call.answered", "09:00:08", line="101")) == {"line=999 count": 1}


@pytest.mark.parametrize(("line", "counted"), [("999", "999"), ("101", "101"), ("112", "other"), ("", "unknown")])
def test_an_unlisted_line_is_other_and_an_absent_one_unknown(line: str, counted: str) -> None:
    """Labels are closed lists: no text of a feed creates a new series."""
    assert adds("call_volume", said("call.queued", "09:00:00", line=line)) == {f"line={counted} count": 1}


def test_a_call_without_any_line_is_unknown() -> None:
    """Absent, not other."""
    assert adds("call_volume", said("call.queued", "09:00:00")) == {"line=unknown count": 1}


def test_two_lines_given_at_the_same_time_are_ordered_by_event_id() -> None:
    """A tie in time must not depend on which event arrived first."""
    a = said("call.presented", "09:00:00", "a", line="101")
    b = said("call.queued", "09:00:00", "b", line="999")
    assert adds("call_volume", b, a) == {"line=101 count": 1}


def test_an_answer_is_timed_from_the_queue_and_counts_at_the_moment_of_the_answer() -> None:
    """Queued 09:00:00, answered 09:00:08: 8,000 ms, within the target, in the bin that holds 8 s."""
    assert adds("call_answer_time", QUEUED, ANSWERED) == {
        "line=999 observations": 1,
        "line=999 sum_ms": 8_000,
        "line=999 within": 1,
        "line=999 bin:7962": 1,
    }
    late = said("call.answered", "09:00:12")
    assert placed("call_answer_time", QUEUED, late) == {"09:00:10"}


def test_the_national_clock_runs_from_the_presentation() -> None:
    """Presented 08:59:58, answered 09:00:08: exactly 10 s, which is not below 10 s."""
    found = adds("call_answer_time_presented", PRESENTED, QUEUED, ANSWERED)
    assert found == {"line=999 observations": 1, "line=999 sum_ms": 10_000, "line=999 bin:10000": 1}


@pytest.mark.parametrize(("answered", "within"), [("09:00:09.999", 1), ("09:00:10", 0)])
def test_the_target_of_999_is_met_below_10_s_only(answered: str, within: int) -> None:
    """9,999 ms meet it, 10,000 ms do not."""
    found = adds("call_answer_time", QUEUED, said("call.answered", answered))
    assert found.get("line=999 within", 0) == within


def test_101_calls_have_no_target() -> None:
    """No `within` is counted, so no board can show one."""
    queued = said("call.queued", "09:00:00", line="101")
    assert "line=101 within" not in adds("call_answer_time", queued, ANSWERED)


def test_an_immediate_answer_took_0_ms() -> None:
    """0 has its own bin and counts; 0 ms added to the sum is not written."""
    found = adds("call_answer_time", QUEUED, said("call.answered", "09:00:00"))
    assert found == {"line=999 observations": 1, "line=999 within": 1, "line=999 bin:0": 1}


def test_an_answer_without_a_queue_time_is_a_missing_start_and_excluded_from_durations() -> None:
    """Counted separately, never as 0 s."""
    assert adds("call_answer_time", PRESENTED, ANSWERED) == {"line=999 missing_start": 1}
    assert placed("call_answer_time", PRESENTED, ANSWERED) == {"09:00:00"}


def test_an_answer_before_the_queue_is_negative_and_excluded_from_durations() -> None:
    """Two events disagree, and which is wrong is unknown: both are kept, neither is timed."""
    early = said("call.answered", "08:59:59")
    assert adds("call_answer_time", QUEUED, early) == {"line=999 negative": 1}
    assert adds("call_volume", QUEUED, early) == {"line=999 count": 1}
    assert adds("call_abandonment", QUEUED, early) == {"line=999 whole": 1}


def test_an_abandoned_call_counts_at_the_time_it_was_abandoned() -> None:
    """Part and whole are at one moment, so part <= whole in every bucket."""
    assert adds("call_abandonment", QUEUED, ABANDONED) == {"line=999 whole": 1, "line=999 part": 1}
    assert placed("call_abandonment", QUEUED, ABANDONED) == {"09:00:30"}


def test_a_call_both_answered_and_abandoned_counts_as_answered() -> None:
    """Whichever came first: a person spoke to the caller."""
    assert adds("call_abandonment", QUEUED, ABANDONED, said("call.answered", "09:00:40")) == {"line=999 whole": 1}
    assert placed("call_abandonment", QUEUED, ANSWERED, ABANDONED) == {"09:00:00"}
    assert adds("call_abandoned_within_60s", QUEUED, ABANDONED, ANSWERED) == {}


def test_an_answered_call_has_no_moment_of_abandonment() -> None:
    """Whatever measure may use that moment later."""
    state = state_of(QUEUED, ABANDONED, ANSWERED)
    found = {name: word.read(state) for name, word in STREAMS["calls"].vocabulary.items()}
    assert (found["abandoned"], found["left_by"], found["left_queue"]) == (None, "answered", ANSWERED.time_ms)


def test_a_call_that_is_still_waiting_has_not_left_the_queue() -> None:
    """It is neither in the part nor in the whole; ending alone is not leaving the queue either."""
    assert adds("call_abandonment", PRESENTED, QUEUED) == {}
    assert adds("call_abandonment", QUEUED, ENDED) == {}


def test_a_call_that_never_queued_is_excluded_from_abandonment() -> None:
    """Abandonment is a share of calls that queued."""
    assert adds("call_abandonment", PRESENTED, ABANDONED) == {}
    assert adds("call_abandoned_within_60s", PRESENTED, ABANDONED) == {}


@pytest.mark.parametrize(("left", "part"), [("09:00:00", 1), ("09:01:00", 1), ("09:01:00.001", 0), ("08:59:59", 0)])
def test_abandoned_within_a_minute_includes_exactly_one_minute(left: str, part: int) -> None:
    """60.000 s are within; a negative wait is abandoned, but not within."""
    found = adds("call_abandoned_within_60s", QUEUED, said("call.abandoned", left))
    assert (found["line=999 whole"], found.get("line=999 part", 0)) == (1, part)


@pytest.mark.parametrize("end", [ANSWERED, ABANDONED, ENDED], ids=lambda event: event.type)
def test_a_call_waits_until_it_is_answered_abandoned_or_ended(end: Event) -> None:
    """The first number on the live wall."""
    assert open_in("calls_waiting", QUEUED) == {"line=999": "09:00:00"}
    assert open_in("calls_waiting", QUEUED, end) == {}


def test_a_call_that_was_only_presented_does_not_wait() -> None:
    """It waits from the moment it is queued."""
    assert open_in("calls_waiting", PRESENTED) == {}


def test_a_call_is_in_progress_from_the_answer_to_the_end() -> None:
    """It is open since the moment of the answer."""
    assert open_in("calls_in_progress", QUEUED) == {}
    assert open_in("calls_in_progress", QUEUED, ANSWERED) == {"line=999": "09:00:08"}
    assert open_in("calls_in_progress", QUEUED, ANSWERED, ENDED) == {}


def test_the_latest_end_counts() -> None:
    """A later event corrects an earlier one."""
    later = said("call.ended", "09:07:00")
    assert state_of(QUEUED, ENDED, later).ended_ms == later.time_ms


def test_a_transfer_does_not_change_anything_yet() -> None:
    """Neither figures nor open sets."""
    transferred = said("call.transferred", "09:02:00", agent_token="t", queue="q")
    assert contribution(QUEUED, ANSWERED, transferred) == contribution(QUEUED, ANSWERED)


@pytest.mark.parametrize("event", [ANSWERED, ABANDONED, ENDED, said("call.transferred", "09:00:08")])
def test_a_call_without_its_first_event_is_one_orphan_and_nothing_else(event: Event) -> None:
    """Counted at its earliest event, until the presentation or the queueing arrives."""
    found = contribution(event, said("call.ended", "10:00:00", line="999"))
    assert list(found.increments) == ["orphans|topic=watchroom.calls|count"]
    assert found.open_sets == {}
    assert placed("orphans", said("call.ended", "10:00:00"), ANSWERED) == {"09:00:00"}
    assert adds("orphans", event, QUEUED) == {}


ACCEPTED = said("call.callback_accepted", "09:00:20")
MADE = said("call.callback_made", "10:00:00")


def test_a_caller_who_accepts_a_callback_leaves_the_queue_at_that_moment() -> None:
    """Because of `callback` it is in neither part nor whole of any abandonment, and no longer waits."""
    state = state_of(QUEUED, ACCEPTED)
    found = {name: word.read(state) for name, word in STREAMS["calls"].vocabulary.items()}
    assert (found["left_by"], found["left_queue"]) == ("callback", ACCEPTED.time_ms)
    for measure in ("call_abandonment", "call_abandonment_less_short", "call_abandonment_without_short"):
        assert adds(measure, QUEUED, ACCEPTED) == {}
    assert open_in("calls_waiting", QUEUED, ACCEPTED) == {}
    assert adds("call_volume", QUEUED, ACCEPTED) == {"line=999 count": 1}


@pytest.mark.parametrize("kind", ["call.answered", "call.abandoned"])
@pytest.mark.parametrize("when", ["09:00:20", "09:00:20.001", "11:00:00"])
def test_events_after_an_accepted_callback_change_no_figure(kind: str, when: str) -> None:
    """Nor at the same moment: the conversation of a call-back is not an answer to a waiting caller."""
    for measure in ("call_answer_time", "call_answer_time_presented", "call_abandonment", "call_abandoned_within_60s"):
        assert adds(measure, PRESENTED, QUEUED, ACCEPTED, said(kind, when)) == {}


def test_an_answer_strictly_before_the_callback_still_counts() -> None:
    """A millisecond earlier the caller was answered in the queue."""
    answered = said("call.answered", "09:00:19.999")
    assert adds("call_answer_time", QUEUED, answered, ACCEPTED)["line=999 sum_ms"] == 19_999
    assert adds("call_abandonment", QUEUED, answered, ACCEPTED) == {"line=999 whole": 1}


def test_an_abandonment_strictly_before_the_callback_counts_whatever_comes_later() -> None:
    """The caller had left before: an answer after the call-back does not undo that."""
    abandoned = said("call.abandoned", "09:00:19.999")
    later = said("call.answered", "09:30:00")
    assert adds("call_abandonment", QUEUED, abandoned, ACCEPTED, later) == {"line=999 whole": 1, "line=999 part": 1}
    assert adds("call_answer_time", QUEUED, abandoned, ACCEPTED, later) == {}


def test_a_callback_is_due_from_accepted_to_made() -> None:
    """The caller's first call ends long before the call-back; that changes nothing."""
    assert open_in("callbacks_due", QUEUED, said("call.callback_offered", "09:00:15")) == {}
    assert open_in("callbacks_due", QUEUED, ACCEPTED, ENDED) == {"line=999": "09:00:20"}
    assert open_in("callbacks_due", QUEUED, ACCEPTED, ENDED, MADE) == {}


def test_the_earliest_acceptance_counts() -> None:
    """Accepted twice is accepted once."""
    again = said("call.callback_accepted", "09:10:00")
    assert open_in("callbacks_due", QUEUED, ACCEPTED, again) == {"line=999": "09:00:20"}


def test_a_conversation_after_a_callback_is_in_progress() -> None:
    """A handler is busy with the caller, however the call came about."""
    assert open_in("calls_in_progress", QUEUED, ACCEPTED, said("call.answered", "09:30:00")) == {"line=999": "09:30:00"}


OUTGOING = [{"class": "Outgoing"}, {"direction": "outbound"}, {"class": "emergency", "direction": "Outbound"}]


@pytest.mark.parametrize("data", OUTGOING, ids=str)
def test_an_outgoing_call_is_excluded_from_every_measure_but_that_of_classes(data: dict[str, str]) -> None:
    """Nobody rang the control room; it leaves the open and waiting lists too."""
    of_class = said("call.ended", "09:20:00", **data)
    answered = contribution(PRESENTED, QUEUED, said("call.answered", "09:00:08"), of_class)
    waiting = contribution(PRESENTED, QUEUED, said("call.transferred", "09:00:09", **data))
    accepted = contribution(PRESENTED, QUEUED, ACCEPTED, said("call.transferred", "09:00:09", **data))
    for found in (answered, waiting, accepted):
        class_ = data.get("class", "outgoing").lower()
        assert list(found.increments) == [f"call_volume_by_class|class={class_}|count"]
        assert found.open_sets == {}


def test_the_latest_class_counts() -> None:
    """A call that was classified again has one class."""
    first, second = said("call.presented", "09:00:00", **{"class": "outgoing"}), {"class": "general enquiry"}
    events = (first, said("call.answered", "09:00:08", **second))
    assert adds("call_volume_by_class", *events) == {"class=general_enquiry count": 1}
    assert adds("call_volume", *events) == {"line=unknown count": 1}


@pytest.mark.parametrize(
    ("data", "counted"),
    [({}, "unknown"), ({"class": ""}, "unknown"), ({"class": "prank"}, "other"), ({"direction": "inbound"}, "unknown")],
    ids=str,
)
def test_an_unlisted_class_is_other_and_an_absent_one_unknown(data: dict[str, str], counted: str) -> None:
    """Inbound does not state a class."""
    assert adds("call_volume_by_class", said("call.presented", "09:00:00", **data)) == {f"class={counted} count": 1}


@pytest.mark.parametrize(
    ("cli_type", "landline", "mobile"),
    [("Landline", (1, 1), (0, 1)), ("mobile", (0, 1), (1, 1)), ("withheld", (0, 0), (0, 0)), ("", (0, 0), (0, 0))],
)
def test_landline_and_mobile_are_shares_of_calls_of_these_types_only(
    cli_type: str, landline: tuple[int, int], mobile: tuple[int, int]
) -> None:
    """Withheld and unknown numbers are counted by their type, and are in neither whole."""
    call = said("call.presented", "09:00:00", cli_type=cli_type)
    counted = cli_type.lower() or "unknown"
    assert adds("call_volume_by_cli_type", call) == {f"cli_type={counted} count": 1}
    for measure, (part, whole) in (("call_landline_share", landline), ("call_mobile_share", mobile)):
        found = adds(measure, call)
        assert (found.get("part", 0), found.get("whole", 0)) == (part, whole)


def test_the_earliest_token_is_the_one_of_the_caller() -> None:
    """Later ones may belong to the person the call was passed to; of the organisation the latest counts."""
    one, two = "k1." + "A" * 26, "k1." + "B" * 26
    state = state_of(
        said("call.presented", "09:00:00", caller_token=one, caller_org="School"),
        said("call.queued", "09:00:01", caller_token=two, caller_org="Care home"),
    )
    values = STREAMS["calls"].values
    assert (values["caller"].read(state), values["caller_org"].read(state)) == (one, "care_home")


@pytest.mark.parametrize(
    ("left", "less", "without"),
    [("09:00:04.999", (0, 1), (0, 0)), ("09:00:05", (1, 1), (1, 1)), ("08:59:59", (1, 1), (1, 1))],
)
def test_short_abandonments_waited_less_than_5_s(left: str, less: tuple[int, int], without: tuple[int, int]) -> None:
    """One share has them only in the whole, the other in neither; a negative wait is not known to be short."""
    abandoned = said("call.abandoned", left)
    for measure, (part, whole) in (("call_abandonment_less_short", less), ("call_abandonment_without_short", without)):
        found = adds(measure, QUEUED, abandoned)
        assert (found.get("line=999 part", 0), found.get("line=999 whole", 0)) == (part, whole)


def test_an_immediate_answer_is_not_a_short_abandonment() -> None:
    """Answered calls are in the whole, however short they waited."""
    for measure in ("call_abandonment_less_short", "call_abandonment_without_short"):
        assert adds(measure, QUEUED, said("call.answered", "09:00:01")) == {"line=999 whole": 1}
