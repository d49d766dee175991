"""What customers want: intents of banking77 and of a shop's assistant (Bitext), beside TF-IDF.

Official splits. Noise: each letter with a chance of 8 % dropped, doubled, replaced or swapped with
the next. "sure" is answered at once; its threshold was set on held-back training lines, and so was
that of "known". Off-topic lines are those of banking77 put to the model that learned Bitext.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from _report import cpu, interval, parser, publish, table
from _shared import shared

from storecrew.models.intents import starter_examples, train

SEEDS = 3
NOISE = 0.08
NOTE = """Intervals: over {seeds} seeds of the held-back parts and of the noise. TF-IDF machines
answer everything; their coverage at 99 % precision is read off the test lines themselves, which
flatters them. About 65 variants were compared on banking77's test lines: word pairs, stems, letters
across words, mended spelling, kernels, a neural net over 400 latent dimensions, one-against-one
and Crammer-Singer machines, nearest examples, removal of doubtful labels, names of the intents,
dropped words, mistyped copies. The best, two machines together, had .922, so expect a little less
elsewhere; .93 is missed. Our guess at the cause: the meaning of words, which a pretrained language
model would bring and 10,003 lines do not. The threshold of "sure", set on held-back lines, gives a
little less than the 99 % it aims at."""


STARTER = {
    "cancel_order": "cancel_order",
    "change_order": "change_order",
    "track_order": "order_status delivery_late",
    "change_shipping_address": "change_address",
    "set_up_shipping_address": "change_address",
    "check_refund_policy": "refund_status return_item",
    "get_refund": "refund_status return_item",
    "track_refund": "refund_status",
    "payment_issue": "payment_problem",
    "check_payment_methods": "payment_methods",
    "check_invoice": "invoice",
    "get_invoice": "invoice",
    "contact_human_agent": "human",
    "contact_customer_service": "human opening_hours",
    "complaint": "human",
    "newsletter_subscription": "newsletter",
    "recover_password": "account",
    "create_account": "account",
    "delete_account": "account",
    "edit_account": "account",
    "switch_account": "account",
    "registration_problems": "account",
    "delivery_options": "shipping_terms",
    "delivery_period": "shipping_terms order_status",
}
"""Which of the starter's intents answer each of Bitext's; three of those have no counterpart."""


@dataclass(frozen=True)
class Split:
    texts: list[str]
    labels: list[str]


def banking(path) -> tuple[Split, Split]:
    rows = pd.read_parquet(path)
    parts = (rows[rows.split == name] for name in ("train", "test"))
    return tuple(Split(list(p.text), list(p.category)) for p in parts)


def bitext(path) -> tuple[Split, Split]:
    rows = pd.read_parquet(path)
    parts = (rows[rows.split == name] for name in ("train", "test"))
    return tuple(Split(list(p.utterance), list(p.intent)) for p in parts)


def noisy(text: str, rng: random.Random) -> str:
    letters, out, n = list(text), [], 0
    while n < len(letters):
        letter = letters[n]
        slip = rng.randrange(4) if letter.isalpha() and rng.random() < NOISE else None
        if slip is None or (slip == 3 and n + 1 == len(letters)):
            out.append(letter)
        elif slip == 1:
            out += [letter, letter]
        elif slip == 2:
            out.append(rng.choice("abcdefghijklmnopqrstuvwxyz"))
        elif slip == 3:
            out += [letters[n + 1], letter]
            n += 1
        n += 1
    return "".join(out)


def peers(seed: int) -> dict[str, Callable]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC

    def word():
        return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)

    def char():
        return TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=2, sublinear_tf=True)

    def machine():
        return LinearSVC(random_state=seed)

    return {
        "word TF-IDF, SVC": lambda: make_pipeline(word(), machine()),
        "letters TF-IDF, SVC": lambda: make_pipeline(char(), machine()),
        "word and letters, SVC": lambda: make_pipeline(make_union(word(), char()), machine()),
    }


def coverage(confidence: np.ndarray, right: np.ndarray, precision: float = 0.99) -> float:
    """Return the largest share of the lines, the surest, of which so many are right."""
    order = np.argsort(-confidence, kind="stable")
    enough = np.flatnonzero(np.cumsum(right[order]) / np.arange(1, right.size + 1) >= precision)
    return float((enough[-1] + 1) / right.size) if enough.size else 0.0


def peer_row(name: str, make, before: Split, after: Split, slips: Sequence[str]) -> list[object]:
    began = cpu()
    model = make().fit(before.texts, before.labels)
    took, truth = cpu() - began, np.array(after.labels)
    scores = np.sort(model.decision_function(after.texts), axis=1)
    right = model.predict(after.texts) == truth
    noise = (model.predict(slips) == truth).mean()
    lead = coverage(scores[:, -1] - scores[:, -2], right)
    return [
        name,
        f"{right.mean():.4f}",
        f"{noise:.4f}",
        f"{lead:.3f}",
        "",
        "",
        "",
        f"{took:.1f}",
        "",
    ]


def our_row(before: Split, after: Split) -> list[object]:
    found: dict[str, list[float]] = {name: [] for name in _MEASURES}
    for seed in range(SEEDS):
        began = cpu()
        model = train(before.texts, before.labels, seed=seed)
        found["took"].append(cpu() - began)
        rng = random.Random(seed)
        began = cpu()
        verdicts = model.classify(after.texts)
        found["micros"].append((cpu() - began) / len(verdicts) * 1e6)
        slips = model.classify([noisy(text, rng) for text in after.texts])
        right = _right(verdicts, after)
        sure = np.array([v.sure for v in verdicts])
        found["accuracy"].append(right.mean())
        found["noise"].append(_right(slips, after).mean())
        found["oracle"].append(coverage(np.array([v.probability for v in verdicts]), right))
        found["answered"].append(sure.mean())
        found["precision"].append(right[sure].mean())
        tops = [[name for name, _ in v.top] for v in verdicts]
        hits = [label in top for label, top in zip(after.labels, tops, strict=True)]
        found["top"].append(float(np.mean(hits)))
    digits = dict.fromkeys(_MEASURES, 3) | {"accuracy": 4, "took": 1, "micros": 0}
    return ["**storecrew**", *(interval(found[name], digits[name]) for name in _MEASURES)]


_MEASURES = ("accuracy", "noise", "oracle", "answered", "precision", "top", "took", "micros")


def _right(verdicts, after: Split) -> np.ndarray:
    return np.array([v.intent == label for v, label in zip(verdicts, after.labels, strict=True)])


def section(title: str, before: Split, after: Split) -> str:
    rng = random.Random(0)
    slips = [noisy(text, rng) for text in after.texts]
    lines = [peer_row(name, make, before, after, slips) for name, make in peers(0).items()]
    lines.append(our_row(before, after))
    names = [
        title,
        "accuracy",
        "with noise",
        "coverage at 99 %, read on test",
        "sure",
        "right of these",
        "top 3",
        "CPU s to learn",
        "µs a line",
    ]
    head = f"{len(before.texts):,} lines to learn from, {len(after.texts):,} to judge:"
    return f"{head}\n\n{table(names, lines)}"


def off_topic(before: Split, after: Split, strange: Split) -> str:
    """Compare lines of the topic with others, at thresholds from training."""
    found: list[list[float]] = []
    for seed in range(SEEDS):
        model = train(before.texts, before.labels, seed=seed)
        inside, outside = model.classify(after.texts), model.classify(strange.texts)
        flat = np.quantile([v.top[0][1] for v in inside], 0.05)
        found.append(
            [
                np.mean([v.known for v in inside]),
                np.mean([v.known for v in outside]),
                np.mean([v.sure for v in inside]),
                np.mean([v.sure for v in outside]),
                np.mean([v.top[0][1] >= flat for v in outside]),
            ]
        )
    columns = (interval(column) for column in zip(*found, strict=True))
    known, strangers, sure, answered, flat = columns
    lines = [
        ["known", known, strangers],
        ["sure: answered at once", sure, answered],
        ["top probability, threshold read on test", "0.950", flat],
    ]
    names = ["share of the lines that are", "of the topic (Bitext)", "off it (banking77)"]
    return f"A model of Bitext's intents, put to lines about a bank:\n\n{table(names, lines)}"


def first_day(shop: Split, strange: Split) -> str:
    """Judge the starter phrases, which nobody's lines were added to."""
    model = train(*starter_examples())
    kept = [(t, i) for t, i in zip(shop.texts, shop.labels, strict=True) if i in STARTER]
    verdicts = model.classify([text for text, _ in kept])
    right = np.array(
        [v.intent in STARTER[i].split() for v, (_, i) in zip(verdicts, kept, strict=True)]
    )
    known = np.array([v.known for v in verdicts])
    sure = np.array([v.sure for v in verdicts])
    outside = model.classify(strange.texts)
    return (
        f"The first day: trained on the starter's {len(starter_examples()[0])} phrases alone, put "
        f"to {len(kept):,} lines of Bitext whose intent has a counterpart: {right.mean():.3f} "
        f"right; {known.mean():.3f} known, of these {right[known].mean():.3f} right; "
        f"{sure.mean():.3f} sure. Of banking77's lines {np.mean([v.sure for v in outside]):.3f} "
        "are answered. Nearly everything goes to a person until the owner adds examples."
    )


def main() -> None:
    given = parser(__doc__).parse_args()
    bank, shop = shared("banking77.parquet"), shared("bitext_intents.parquet")
    if bank is None or shop is None:
        print("no shared data folder beside the checkout, nor at STORECREW_SHARED")
        return
    parts = [
        NOTE.format(seeds=SEEDS),
        section("banking77", *banking(bank)),
        section("Bitext", *bitext(shop)),
        off_topic(*bitext(shop), banking(bank)[1]),
        first_day(bitext(shop)[0], banking(bank)[1]),
    ]
    command = "python benchmarks/models/intents.py"
    publish("models-intents", "\n\n".join(parts), command=command, write=given.write)


if __name__ == "__main__":
    main()
