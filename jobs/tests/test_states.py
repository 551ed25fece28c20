"""The state graph itself: which states there are, and that each is accounted for."""

from jobs.models import ACTIVE, TRANSITIONS, Phase, Status


def test_every_status_is_a_key_and_leads_only_to_statuses() -> None:
    assert set(TRANSITIONS) == set(Status)
    assert {target for targets in TRANSITIONS.values() for target in targets} <= set(Status)


def test_every_active_status_can_fail() -> None:
    assert all(Status.FAILURE in TRANSITIONS[status] for status in ACTIVE)


def test_active_is_exactly_what_has_not_ended() -> None:
    assert {Status.PENDING, Status.PROGRESS} == ACTIVE


def test_a_job_that_is_done_never_changes_again() -> None:
    assert not TRANSITIONS[Status.SUCCESS]


def test_a_running_job_never_waits_for_a_turn_again() -> None:
    assert Status.PENDING not in TRANSITIONS[Status.PROGRESS]
    assert Status.CANCELLED not in TRANSITIONS[Status.PROGRESS]


def test_a_cancelled_job_only_comes_back_through_the_line() -> None:
    assert TRANSITIONS[Status.CANCELLED] == {Status.PENDING}


def test_every_phase_has_words() -> None:
    assert all(str(phase.label) for phase in Phase)
