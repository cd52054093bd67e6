"""Shape of ``configs/drill/air.yaml``: chemistry, light, deposition, mixing and inflow of the drill's air."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from yrd_airq.drill.layers import LAYERS
from yrd_airq.drill.state import CARRIED
from yrd_airq.settings import Marked, Settings, load

Seasonal = dict[str, tuple[float, float]]
"""Values by species, in July and in January."""


class Reference(Settings):
    """Origin of numbers; fields as of ``Marked``."""

    mark: Literal["found", "derived", "recalled"]
    source: str
    confidence: Literal["high", "medium", "low"] | None = None

    @model_validator(mode="after")
    def _recalled_has_confidence(self) -> Self:
        if (self.mark == "recalled") != (self.confidence is not None):
            raise ValueError("'confidence' goes with mark 'recalled', and only with it")
        return self


class Reaction(Settings):
    """A reaction and its rate constant; see the head of the list in the settings for the forms."""

    equation: str
    ref: str
    driver: str = "one"
    a: float | None = None
    n: float = 0.0
    e: float = 0.0
    am: float = 0.0
    em: float = 0.0
    low: tuple[float, float, float] | None = None
    high: tuple[float, float, float] | None = None
    f: float = 0.6
    w: float = 1.0
    ppb: float | None = None


class Photolysis(Settings):
    """Clear-sky frequency l·cos(z)^m·exp(−n/cos z) in 1/s at zenith angle z."""

    l: float  # noqa: E741 - the letter of the source
    m: float
    n: float
    ref: str


class Table(Reference):
    """Several numbers of one origin, by species."""

    values: dict[str, float]


class Profile(Reference):
    """Several numbers of one origin, from the ground up."""

    values: tuple[float, ...]


class CloudLight(Settings):
    """How cloud dims photolysis; see the settings."""

    b1: Marked
    b2: Marked
    clear_wm2: Marked
    clear_exponent: Marked


class Isoprene(Settings):
    """Emission of isoprene by leaf temperature and light (Guenther et al. 1993)."""

    standard_ugm2h: Marked
    light_alpha: Marked
    light_cl: Marked
    heat_ct1_j: Marked
    heat_ct2_j: Marked
    heat_tm_k: Marked
    par_per_wm2: Marked


class Mixing(Settings):
    """Turbulence; ``floor_m2s`` at the tops of all layers but the last."""

    land_roughness_m: Marked
    sea_roughness_m: Marked
    heat_share: Marked
    convective_share: Marked
    floor_m2s: Profile


class Washout(Settings):
    """Loss in rain: the rate of a soluble species is a power of the rain (mm/h)."""

    rate_per_s: Marked
    exponent: Marked
    soluble: Table


class Deposition(Reference):
    """Velocities towards the ground, cm/s: land by day, land by night, sea; those not named are zero.

    ``hno3`` and ``fine`` hold for the gas and the particles of nitrate, ``nh3`` and ``fine`` for those
    of ammonia; ``fine`` for all other fine particles.
    """

    no: tuple[float, float, float]
    no2: tuple[float, float, float]
    o3: tuple[float, float, float]
    n2o5: tuple[float, float, float]
    hcho: tuple[float, float, float]
    ald: tuple[float, float, float]
    mgly: tuple[float, float, float]
    pan: tuple[float, float, float]
    h2o2: tuple[float, float, float]
    so2: tuple[float, float, float]
    hno3: tuple[float, float, float]
    nh3: tuple[float, float, float]
    fine: tuple[float, float, float]
    dust: tuple[float, float, float]


class Inflow(Reference):
    """Air outside the world; ``aloft_layers`` is the part of ``aloft`` in each layer of what blows in."""

    aloft_layers: tuple[float, ...]
    marine: Seasonal
    continental: Seasonal
    aloft: Seasonal

    @model_validator(mode="after")
    def _complete(self) -> Inflow:
        for air in (self.marine, self.continental, self.aloft):
            if set(air) != set(CARRIED):
                raise ValueError(f"name all of {', '.join(CARRIED)} and nothing else")
        if len(self.aloft_layers) != LAYERS:
            raise ValueError(f"aloft_layers needs {LAYERS} values")
        return self


class Released(Settings):
    """What emitted NOx (by molecules) and VOC (by mass) consist of."""

    nox: Table
    voc: Table


class AirSettings(Settings):
    """Settings of the drill's air."""

    references: dict[str, Reference]
    fixed_ppb: dict[str, float]
    reactions: tuple[Reaction, ...]
    photolysis: dict[str, Photolysis]
    cloud_light: CloudLight
    cloud_layers: Profile
    lapse_k_per_km: Marked
    vapour_scale_m: Marked
    n2o5_per_ugm3: Marked
    released: Released
    isoprene: Isoprene
    mixing: Mixing
    washout: Washout
    deposition: Deposition
    inflow: Inflow

    @model_validator(mode="after")
    def _refer(self) -> AirSettings:
        used = {r.ref for r in self.reactions} | {p.ref for p in self.photolysis.values()}
        unknown = used - set(self.references)
        if unknown:
            raise ValueError(f"unknown reference '{min(unknown)}'")
        return self


def load_air() -> AirSettings:
    """The settings of the air, ``configs/drill/air.yaml``."""
    return load(AirSettings, "drill/air")
