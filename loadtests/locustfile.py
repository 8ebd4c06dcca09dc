"""Locust users for a running sandbox: ``locust -f loadtests/locustfile.py --host http://127.0.0.1:8000``.

The profile is that of the variable NOVATE_LOAD_PROFILE, the keys are in the file NOVATE_API_KEYS
names (a sandbox writes api-keys.json), or the operator's is in NOVATE_API_KEY. How many users are
started says how many messages may be under way at once; when and what they send is the profile's.
"""

from loadtests import conduct
from loadtests.users.back_office import BrokerBackOffice
from loadtests.users.bank import Bank
from loadtests.users.broker_desk import BrokerDesk
from loadtests.users.clearing_clerk import ClearingClerk
from loadtests.users.reconciliation_watcher import ReconciliationWatcher

conduct.install()

__all__ = ["Bank", "BrokerBackOffice", "BrokerDesk", "ClearingClerk", "ReconciliationWatcher"]
