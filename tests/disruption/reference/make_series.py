"""Writes series.csv: made counts of four districts, of several shapes. numpy 2; the same numbers with each run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

MONTHS = 48
SHAPES = ("calm", "seasonal", "dip", "short", "gaps")


def main() -> None:
    random = np.random.default_rng(20260716)
    months = np.arange(np.datetime64("2021-01"), np.datetime64("2021-01") + MONTHS)
    place = np.arange(MONTHS)
    with (Path(__file__).parent / "series.csv").open("w") as file:
        file.write("shape,district,month,count,tagged\n")
        for shape in SHAPES:
            for district, size in enumerate((200, 500, 900, 1600)):
                season = 0.2 * np.sin(2 * np.pi * place / 12) if shape != "calm" else np.zeros(MONTHS)
                counts = random.poisson(size * (1 + season + 0.003 * place)).astype(float)
                tagged = np.isin(place, (20, 21, 22, 23))
                if shape == "dip":
                    counts[tagged] = np.round(0.6 * counts[tagged])
                    rise = np.isin(place, (30, 31))
                    counts[rise], tagged = np.round(1.3 * counts[rise]), tagged | rise
                keep = place < (20 if shape == "short" else MONTHS)
                if shape == "short":
                    tagged = np.isin(place, (7, 8))
                if shape == "gaps" and district == 3:
                    counts[[5, 6, 30]] = np.nan
                    counts[40] = 3
                for i in np.flatnonzero(keep):
                    count = "NA" if np.isnan(counts[i]) else int(counts[i])
                    file.write(f"{shape},{district},{months[i]},{count},{int(tagged[i])}\n")


if __name__ == "__main__":
    main()
