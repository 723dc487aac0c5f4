from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from office.backtest import RULES, Result, customers, run, shops
from office.demand import WINDOW

SPANS = {"common weeks": date(2026, 5, 4), "Singles' Day": date(2026, 9, 14)}


class Command(BaseCommand):
    help = "Hold the forecasts of what runs out against the rule 'same as last week', on demand that is made up."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--counties", type=int, default=40, help="how many counties (40)")
        parser.add_argument("--outlets", type=int, default=8, help="outlets in each (8)")
        parser.add_argument("--weeks", type=int, default=12, help="weeks that each rule runs the shops (12)")
        parser.add_argument("--seed", type=int, default=1111)

    def handle(self, *args: Any, counties: int, outlets: int, weeks: int, seed: int, **options: Any) -> None:
        trial, days = shops(counties, outlets), WINDOW + weeks * 7
        self.stdout.write(f"{counties} counties of {outlets} outlets, 14 phones, {weeks} weeks, seed {seed}")
        self.stdout.write("| weeks | rule | mean absolute error | pinball loss (0.9) | enough | lost sales | "
                          "ordered | transfers | moved | mean stock |")  # fmt: skip
        self.stdout.write("| --- | --- |" + " ---: |" * 8)
        for span, first in SPANS.items():
            wanted = customers(trial, first, days, seed)
            for name, rule in RULES.items():
                self.stdout.write(_line(span, name, run(rule, trial, wanted, WINDOW)))


def _line(span: str, name: str, result: Result) -> str:
    cells = [
        f"{result.absolute_error:.3f}", f"{result.pinball_loss:.3f}", f"{result.covered:.1%}",
        f"{result.lost_share:.1%} ({result.lost} of {result.wanted})", f"{result.ordered}", f"{result.transfers}",
        f"{result.moved}", f"{result.stock:.0f}",
    ]  # fmt: skip
    return f"| {span} | {name} | " + " | ".join(cells) + " |"
