"""What differs between DHIS2 versions in the tracker endpoints; a patch matters where a defect was mended by one.

Source: contract 1.6 and 1.7.
"""

from __future__ import annotations

from hic_assets.sandbox.server.dialect import Dialect


class TrackerDialect(Dialect):
    """A version, and the questions the tracker endpoints ask about it."""

    def _since(self, *fixed: str) -> bool:
        """Whether this version has a fix that came with these patches, one a branch; newer branches all have it."""
        branches = {int(f.split(".")[1]): tuple(int(n) for n in f.split(".")) for f in fixed}
        if self.minor in branches:
            return self.parts >= branches[self.minor]
        return self.minor > max(branches)

    # ---- which endpoints and envelopes

    @property
    def has_legacy(self) -> bool:
        """The old endpoints are there (<= 2.41)."""
        return self.minor <= 41

    @property
    def flat_paging(self) -> bool:
        """``page``, ``pageSize``, ``total``, ``pageCount`` stand beside the list (<= 2.41)."""
        return self.minor <= 41

    @property
    def has_pager(self) -> bool:
        """There is a ``pager`` (>= 2.41)."""
        return self.minor >= 41

    @property
    def names_the_list(self) -> bool:
        """The list is called after its kind and not ``instances`` (>= 2.41)."""
        return self.minor >= 41

    @property
    def has_next_page(self) -> bool:
        """The pager says ``nextPage`` and ``prevPage`` (>= 2.42)."""
        return self.minor >= 42

    @property
    def counts_pages(self) -> bool:
        """``totalPages`` gives pageCount and not total alone (DHIS2-13649)."""
        return self._since("2.38.5", "2.39.3", "2.40.1")

    # ---- which parameters

    @property
    def old_names(self) -> bool:
        """``ouMode``, ``orgUnit=a;b``, ``event=a;b``, ``skipPaging`` are known (<= 2.41)."""
        return self.minor <= 41

    @property
    def new_names(self) -> bool:
        """``orgUnitMode``, ``orgUnits=a,b``, ``events=a,b``, ``paging`` are known (>= 2.41)."""
        return self.minor >= 41

    @property
    def bad_request(self) -> int:
        """The status of a parameter that makes no sense."""
        return 400 if self.minor >= 41 else 409

    @property
    def no_access(self) -> int:
        """The status of a programme the account may not read."""
        return 403 if self.minor >= 41 else 409

    @property
    def needs_org_unit(self) -> bool:
        """Neither organisation unit nor mode is refused; later it means ACCESSIBLE (<= 2.40)."""
        return self.minor <= 40

    @property
    def needs_program(self) -> bool:
        """Events and enrolments need a programme (>= 2.43)."""
        return self.minor >= 43

    @property
    def refuses_contradictions(self) -> bool:
        """``paging=false`` with page, pageSize or totalPages is refused (>= 2.42)."""
        return self.minor >= 42

    @property
    def refuses_large_pages(self) -> bool:
        """A pageSize of tracked entities above the limit is refused; before it is cut (>= 2.41)."""
        return self.minor >= 41

    @property
    def checks_order(self) -> bool:
        """Unknown fields in ``order`` are refused; before they are ignored (>= 2.41)."""
        return self.minor >= 41

    # ---- which defects

    @property
    def newest_first(self) -> bool:
        """Without ``order``: by internal id, newest first (>= 2.41)."""
        return self.minor >= 41

    @property
    def breaks_ties(self) -> bool:
        """Pages of events end in the id, so that equal rows keep their place (DHIS2-17671)."""
        return self._since("2.39.9", "2.40.7", "2.41.3")

    @property
    def orders_by_creation(self) -> bool:
        """``order=createdAt`` on tracked entities means that; before, the id (DHIS2-15325)."""
        return self._since("2.38.5", "2.39.3", "2.40.1")

    @property
    def loses_last_day(self) -> bool:
        """``enrolledBefore`` is cut to midnight and so loses the last day (2.40.0 and 2.40.1)."""
        return self.minor == 40 and self.parts[:3] <= (2, 40, 1)

    @property
    def deletion_is_a_change(self) -> bool:
        """A deletion moves updatedAt (DHIS2-16320)."""
        return self._since("2.38.7", "2.39.5", "2.40.3")

    @property
    def refreshes_attribute_times(self) -> bool:
        """A changed attribute value has a new updatedAt (DHIS2-18406)."""
        return self._since("2.40.12", "2.41.9", "2.42.5")

    @property
    def leaks_deleted_nested(self) -> bool:
        """Nested lists hold deleted records nobody asked for (DHIS2-14562)."""
        return not self._since("2.38.4", "2.39.2")

    @property
    def ignores_legacy_skip_paging(self) -> bool:
        """``skipPaging`` has no effect on the old /events (DHIS2-14476)."""
        return not self._since("2.38.3", "2.39.2")

    # ---- which members

    @property
    def names_org_units(self) -> bool:
        """Events and enrolments say ``orgUnitName`` (<= 2.40)."""
        return self.minor <= 40

    @property
    def follow_up_names(self) -> tuple[str, ...]:
        """What ``followUp`` is called on events."""
        if self.minor <= 40:
            return ("followup",)
        return ("followUp", "followup") if self.minor == 41 else ("followUp",)

    @property
    def enrollments_have_combo(self) -> bool:
        """Enrolments say ``attributeOptionCombo`` (>= 2.43)."""
        return self.minor >= 43
