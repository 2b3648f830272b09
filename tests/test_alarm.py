"""Alarm: who tries something out breaks it off when it becomes afraid, and pauses."""

import numpy as np

from agent.alarm import Alarm

ALL = np.arange(2)
YES, NO = np.ones(2, bool), np.zeros(2, bool)


def test_who_becomes_afraid_breaks_off_once_and_pauses():
    alarm = Alarm(2, 3)
    one = np.array([True, False])
    assert not alarm.heed(ALL, NO, YES).any()
    still, rang, pauses = [], [], []
    for _ in range(6):
        still.append(bool(alarm.heed(ALL, one, YES)[0]))
        rang.append(bool(alarm.rang[0]))
        pauses.append(bool(alarm.pausing[0]))
        assert not alarm.rang[1] and not alarm.pausing[1]
    assert rang == [True, False, False, False, False, False]
    assert still == [True, True, True, False, False, False]
    assert pauses == [False, True, True, False, False, False]
    alarm.heed(ALL, NO, YES)
    assert alarm.heed(ALL, one, YES).tolist() == [True, False]  # (Afraid once more)


def test_who_tries_nothing_is_not_alarmed():
    alarm = Alarm(2, 3)
    assert not alarm.heed(ALL, YES, NO).any() and not alarm.rang.any()
    assert not alarm.heed(ALL, YES, YES).any()  # (It was afraid before)


def test_bodies_that_do_not_crawl_now_go_on_pausing():
    alarm = Alarm(2, 3)
    alarm.heed(ALL, YES, YES)
    for _ in range(5):
        alarm.heed(np.array([0]), YES[:1], YES[:1])
    assert alarm.pausing.tolist() == [False, True] and not alarm.rang.any()


def test_an_episode_that_ends_ends_the_pause():
    alarm = Alarm(2, 3)
    alarm.heed(ALL, YES, YES)
    alarm.heed(ALL, YES, YES)
    alarm.end(np.array([True, False]))
    assert alarm.pausing.tolist() == [False, True]
    assert alarm.heed(ALL, YES, YES).tolist() == [True, True]
    assert alarm.rang.tolist() == [True, False]


def test_an_alarm_goes_on_from_its_state():
    alarm, other = Alarm(2, 3), Alarm(2, 3)
    alarm.heed(ALL, np.array([True, False]), YES)
    other.load_state(alarm.state())
    for afraid in (YES, NO, YES, YES):
        assert (alarm.heed(ALL, afraid, YES) == other.heed(ALL, afraid, YES)).all()
        assert (alarm.rang == other.rang).all()
    alarm.resize(1)
    assert not alarm.pausing.any()
