"""What of DHIS2's expression language is compiled and what is refused, as data.

Belongs here: the two tables and the refusal reasons. Does not belong here: parsing or evaluation.
Grammar: Expression.g4 of dhis2/dhis2-antlr-expression-parser; which items an *indicator* may hold:
DefaultExpressionService.INDICATOR_EXPRESSION_ITEMS of dhis2/dhis2-core.
"""

from __future__ import annotations

from typing import Final

SUPPORTED: Final[dict[str, str]] = {
    "#{de}": "total of a data element; `#{de.*}` is the same",
    "#{de.coc}": "a data element's category option combo; `#{de.coc.*}` is the same",
    "#{de.coc.aoc}": "with the attribute option combo",
    "#{de.*.aoc}": "all category option combos of one attribute option combo",
    "R{ds.METRIC}": "REPORTING_RATE[_ON_TIME], ACTUAL_REPORTS[_ON_TIME] or EXPECTED_REPORTS of a data set",
    "C{uid}": "constant, replaced by its number when compiling",
    "OUG{uid}": "number of org units of the group within the org unit; never missing",
    "N{uid}": "another indicator's value (numerator x factor / denominator), inlined; cycles are refused",
    "[days]": "days of the period; never missing",
    "number, 'number', true, false": "literals; a text literal only where it reads as a number",
    "( )": "grouping",
    "^": "power, right to left; the exponent must be a whole-number constant between -100 and 100",
    "+ - ! not": "before an expression; bind weaker than ^ and stronger than *",
    "* / %": "left to right",
    "+ -": "left to right",
    "< > <= >=": "numbers with numbers",
    "== !=": "numbers with numbers, conditions with conditions",
    "&& and": "conditions only",
    "|| or": "conditions only",
    "if(c,a,b)": "only the taken branch counts for missing values",
    "isNull(x)": "a missing item stays missing inside",
    "isNotNull(x)": "a missing item stays missing inside",
    "firstNonNull(a,...)": "a missing item stays missing inside",
    "greatest(a,...)": "ignores missing values",
    "least(a,...)": "ignores missing values",
    "log(x[,base])": "natural logarithm, or to the base",
    "log10(x)": "logarithm to base 10",
    "removeZeros(x)": "zero becomes missing; not inside greatest, least, is, && and ||, save within isNull etc.",
    "is(x in a,...)": "x equals one of the list",
}

_EVENT = "event and tracker data are not part of the aggregate values"
_SAMPLE = "aggregates sampled periods; DHIS2 allows it in predictors, not in indicators"
_PROGRAM = "a program indicator / program rule function; DHIS2 does not allow it in indicators"
_PLACE = "tests the org unit; DHIS2 allows it in validation rules and predictors, not in indicators"
_GROUP = "a group of data elements or category options: the members are not resolved here"

REFUSED: Final[dict[str, str]] = {
    "D{": f"program data element: {_EVENT}",
    "A{": f"program attribute: {_EVENT}",
    "I{": f"program indicator: {_EVENT}",
    "V{": f"program variable: {_PROGRAM}",
    "X{": f"program item: {_PROGRAM}",
    "PS_EVENTDATE:": f"program stage event date: {_EVENT}",
    "deGroup:": _GROUP,
    "co:": _GROUP,
    "coGroup:": _GROUP,
    "&": _GROUP,
    "[periodInYear]": "needs the number of the period in its year, which the operand model does not carry",
    "[yearlyPeriodCount]": "needs the number of periods of the year, which the operand model does not carry",
    ".aggregationType": "aggregates the operand in another way than its data element says",
    ".periodOffset": "reads another month; re-landing re-computes one month, so the value would go stale",
    ".minDate": "drops values before a date; operands are aggregated without date limits",
    ".maxDate": "drops values after a date; operands are aggregated without date limits",
    ".yearToDate": "reads other months; re-landing re-computes one month, so the value would go stale",
    ".stageOffset": _PROGRAM,
    "subExpression": "evaluates each raw data value before aggregation; operands are aggregated first",
    "contains": "searches text; operands are numbers",
    "containsItems": "searches text; operands are numbers",
    **dict.fromkeys(
        [
            "avg",
            "count",
            "max",
            "median",
            "min",
            "percentileCont",
            "stddev",
            "stddevPop",
            "stddevSamp",
            "sum",
            "variance",
            "normDistCum",
            "normDistDen",
        ],
        _SAMPLE,
    ),
    **dict.fromkeys(("orgUnit.ancestor", "orgUnit.dataSet", "orgUnit.group", "orgUnit.program"), _PLACE),
    "d2:": _PROGRAM,
    "fractional exponent": "DHIS2 cuts exponents to whole numbers; only whole constants are accepted",
    "text": "no operand is text, so a text that is not a number has nothing to be compared with",
    "condition as number": "DHIS2 versions differ: an error, or 1 and 0; write if(c,1,0)",
    "number as condition": "DHIS2 fails on fractions; write the comparison, e.g. x != 0",
    "missing condition": "a side of && or || or is may be missing, where DHIS2 versions differ",
    "removeZeros": "here a zero would change how later missing values count; see the language table",
}

FUNCTIONS: Final[dict[str, tuple[int, int]]] = {
    "firstNonNull": (1, 1000),
    "greatest": (1, 1000),
    "if": (3, 3),
    "is": (2, 1000),
    "isNotNull": (1, 1),
    "isNull": (1, 1),
    "least": (1, 1000),
    "log": (1, 2),
    "log10": (1, 1),
    "removeZeros": (1, 1),
}
"""Compiled functions: name to (fewest, most) arguments."""
