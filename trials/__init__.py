"""Trials of the whole studio, from outside: it is killed (chaos) and measured (bench). Linux only: they read /proc."""
