"""Language scores against jieba, nltk and rouge-score with the same results, and the whole table of a study.

Run as ``python -m benchmarks.score_texts``; ``--pairs N`` takes fewer pairs than 1,000 for the comparison,
``--study R O`` other numbers of references and outputs of each than 565 and 56. Seconds are those of the
processor, but for the study, which runs in two processes and counts the clock, starting them included.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from benchmarks.report_texts import ReportWriter
from pet2rep_core.records import Language
from pet2rep_core.scoring import tokens
from pet2rep_core.scoring.clinical import score_clinical
from pet2rep_core.scoring.nlg import cut_texts, score_nlg

SIX = ("bleu1", "bleu2", "bleu3", "bleu4", "meteor", "rougeL")
RATIO_GOAL, STUDY_GOAL_S, PAIR_GOAL_MS = 50.0, 90.0, 20.0
PROCESSES = 2
Pairs = Sequence[tuple[str, str]]
ZH = Language.CHINESE


def make_pairs(count: int, seed: int) -> Pairs:
    writer = ReportWriter(ZH, seed)
    references = [writer.reference() for _ in range(count)]
    return [(writer.output(reference), reference) for reference in references]


def theirs(pairs: Pairs) -> list[list[float]]:
    """Score as one would with the libraries as their pages show them, a jieba tokenizer handed to rouge-score."""
    from nltk.translate.bleu_score import sentence_bleu
    from nltk.translate.meteor_score import single_meteor_score
    from rouge_score.rouge_scorer import RougeScorer

    jieba = tokens.load_jieba()

    class Words:
        def tokenize(self, text: str) -> list[str]:
            return [word for word in jieba.cut(text) if not word.isspace()]

    class NoSynonyms:
        def synsets(self, _word: str) -> list[object]:
            return []

    scorer, rows = RougeScorer(["rougeL"], tokenizer=Words()), []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for hypothesis, reference in pairs:
            said, true = Words().tokenize(hypothesis), Words().tokenize(reference)
            bleus = [sentence_bleu([true], said, weights=(1 / n,) * n) for n in (1, 2, 3, 4)]
            meteor = single_meteor_score(true, said, wordnet=NoSynonyms())
            rows.append([*bleus, meteor, scorer.score(reference, hypothesis)["rougeL"].fmeasure])
    return rows


def ours(pairs: Pairs) -> list[list[float | None]]:
    return [
        [score.value for score in score_nlg(hypothesis, reference, ZH, metrics=SIX)] for hypothesis, reference in pairs
    ]


def seconds(work: Callable[[], object], clock: Callable[[], float] = time.process_time) -> tuple[float, object]:
    began = clock()
    made = work()
    return clock() - began, made


def compare(count: int) -> bool:
    pairs = make_pairs(count, seed=1)
    tokens.load_jieba()
    ours(make_pairs(3, seed=2))  # imports are nobody's scores
    tokens.forget_blocks()
    cold, _ = seconds(partial(ours, pairs))
    warm = []
    for _ in range(3):
        cut_texts().forget()
        took, mine = seconds(partial(ours, pairs))
        warm.append(took)
    peers, others = seconds(partial(theirs, pairs))
    same = mine == others
    characters = sum(len(text) for pair in pairs for text in pair) / 2 / count
    print(f"{count} pairs of {characters:.0f} characters, the six metrics of the benchmark, seconds of the processor")
    print(f"  jieba + nltk + rouge-score  {peers:8.2f}")
    print(f"  ours, phrases known         {min(warm):8.2f}   ratio {peers / min(warm):.0f} (goal: {RATIO_GOAL:.0f})")
    print(f"  ours, nothing known         {cold:8.2f}   ratio {peers / cold:.0f}")
    print(f"  the same to the last bit: {'yes' if same else 'NO'}")
    return same and peers / min(warm) >= RATIO_GOAL


def one_pair() -> bool:
    [(hypothesis, reference)] = make_pairs(1, seed=3)
    work = partial(score_both, hypothesis, reference)
    work()
    cut_texts().forget()
    first, _ = seconds(work, time.perf_counter)
    again = min(seconds(work, time.perf_counter)[0] for _ in range(20))
    print(f"one pair, all metrics and CE: {first * 1e3:.1f} ms, seen before {again * 1e3:.1f} ms", end=" ")
    print(f"(goal: {PAIR_GOAL_MS:.0f} ms)")
    return first * 1e3 < PAIR_GOAL_MS


def length() -> None:
    """Print the cost of a character for texts of growing length, both sides as long."""
    print("characters  language scores, us a character")
    for size in (1_000, 10_000, 100_000):
        writer = ReportWriter(ZH, seed=4)
        text = "\n".join(writer.reference() for _ in range(size // 900 + 1))[:size]
        other = writer.output(text)
        score_nlg(other, text, ZH)
        cut_texts().forget()
        took = min(_afresh(other, text) for _ in range(3 if size > 10_000 else 20))
        print(f"{size:10,}  {took / size * 1e6:.2f}")


def _afresh(hypothesis: str, reference: str) -> float:
    cut_texts().forget()
    return seconds(partial(score_nlg, hypothesis, reference, ZH))[0]


def score_both(hypothesis: str, reference: str) -> None:
    score_nlg(hypothesis, reference, ZH)
    score_clinical(hypothesis, reference, ZH)


def score_case(case: tuple[str, list[str]]) -> tuple[float, float]:
    """Score all outputs of one reference; returns the seconds of the language scores and of CE."""
    reference, outputs = case
    language = sum(seconds(partial(score_nlg, output, reference, ZH))[0] for output in outputs)
    clinical = sum(seconds(partial(score_clinical, output, reference, ZH))[0] for output in outputs)
    return language, clinical


def study(references: int, outputs: int) -> bool:
    writer = ReportWriter(ZH, seed=5)
    cases = [(reference, [writer.output(reference) for _ in range(outputs)]) for reference in
             (writer.reference() for _ in range(references))]  # fmt: skip

    def work() -> list[tuple[float, float]]:
        with ProcessPoolExecutor(PROCESSES) as pool:
            return list(pool.map(score_case, cases, chunksize=4))

    took, parts = seconds(work, time.perf_counter)
    language, clinical = (sum(row[place] for row in parts) for place in (0, 1))
    print(f"{references * outputs:,} pairs in {PROCESSES} processes, all metrics and CE: {took:.0f} s", end=" ")
    print(f"(goal: {STUDY_GOAL_S:.0f} s); processor: language scores {language:.0f} s, CE {clinical:.0f} s")
    return took < STUDY_GOAL_S


def main() -> int:
    parser = argparse.ArgumentParser(description="Benchmark of the scores.")
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--study", type=int, nargs=2, default=(565, 56), metavar=("REFERENCES", "OUTPUTS"))
    args = parser.parse_args()
    reached = [compare(args.pairs), one_pair()]
    length()
    reached.append(study(*args.study))
    return 0 if all(reached) else 1


if __name__ == "__main__":
    sys.exit(main())
