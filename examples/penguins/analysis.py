"""How much heavier is a penguin whose flippers are a millimetre longer?

Ordinary least squares of body mass on flipper length, by the penguins of the Palmer Archipelago (Gorman, Williams and
Fraser 2014, doi:10.1371/journal.pone.0090081) as the package `palmerpenguins` ships them: for all birds as if they
were of one kind, for each species alone, and for all with one slope and an intercept for each species.

Prints a table and writes it to `results.csv`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from palmerpenguins import load_penguins

FLIPPER, MASS, SPECIES = "flipper_length_mm", "body_mass_g", "species"


@dataclass(frozen=True)
class Fit:
    """A linear model fitted by least squares."""

    coefficients: np.ndarray
    standard_errors: np.ndarray
    residual_sum: float
    degrees_of_freedom: int
    r_squared: float


def least_squares(design: np.ndarray, response: np.ndarray) -> Fit:
    """Fit a response to the columns of a design; the errors are taken to be independent and of one variance."""
    coefficients, _, rank, _ = np.linalg.lstsq(design, response)
    if rank < design.shape[1]:
        raise ValueError("the columns of the design depend on one another")
    residual_sum = float(np.sum((response - design @ coefficients) ** 2))
    degrees_of_freedom = len(response) - design.shape[1]
    r = np.linalg.qr(design, mode="r")
    covariance = residual_sum / degrees_of_freedom * np.linalg.inv(r.T @ r)
    total_sum = float(np.sum((response - response.mean()) ** 2))
    return Fit(
        coefficients,
        np.sqrt(np.diag(covariance)),
        residual_sum,
        degrees_of_freedom,
        1 - residual_sum / total_sum,
    )


def fit_line(birds: pd.DataFrame, intercepts: np.ndarray) -> Fit:
    """Fit body mass to flipper length, which is the first column, and to the intercepts given."""
    # Centred, so that the slope and the intercepts are hardly correlated.
    flipper = birds[FLIPPER] - birds[FLIPPER].mean()
    return least_squares(np.column_stack([flipper, intercepts]), birds[MASS].to_numpy())


def row(model: str, fit: Fit) -> dict[str, object]:
    """Return a fit's row in the table, in grams a millimetre."""
    return {
        "model": model,
        "birds": fit.degrees_of_freedom + len(fit.coefficients),
        "slope": f"{fit.coefficients[0]:.2f}",
        "standard_error": f"{fit.standard_errors[0]:.2f}",
        "r_squared": f"{fit.r_squared:.3f}",
    }


def main() -> None:
    """Fit the models and tell what they say."""
    birds = load_penguins().dropna(subset=[FLIPPER, MASS])
    one = np.ones((len(birds), 1))
    species = pd.get_dummies(birds[SPECIES], dtype=float)

    together = fit_line(birds, one)
    parallel = fit_line(birds, species.to_numpy())
    alone = {name: fit_line(of, np.ones((len(of), 1))) for name, of in birds.groupby(SPECIES)}

    table = pd.DataFrame(
        [
            row("all as one", together),
            *(row(str(name), fit) for name, fit in alone.items()),
            row("an intercept each", parallel),
        ]
    )
    table.to_csv("results.csv", index=False)
    print(table.to_string(index=False))

    gained = parallel.standard_errors.size - together.standard_errors.size
    f = (together.residual_sum - parallel.residual_sum) / gained
    f /= parallel.residual_sum / parallel.degrees_of_freedom
    print(f"\nDo species differ at equal flipper length? F({gained}, {parallel.degrees_of_freedom}) = {f:.1f}")


if __name__ == "__main__":
    main()
