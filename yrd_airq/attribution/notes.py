"""Chinese sentences on what limits an attribution, and on where a NOx cut alone would raise ozone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from yrd_airq.attribution.emissions import Inventory
from yrd_airq.attribution.settings import AttributionSettings
from yrd_airq.attribution.surface import OzoneSurface
from yrd_airq.region import Region
from yrd_airq.vocab import Precursor, Target


def write_notes(
    inventory: Inventory,
    cap: NDArray[np.float64],
    surfaces: Mapping[Target, OzoneSurface],
    region: Region,
    settings: AttributionSettings,
) -> tuple[str, ...]:
    """Sentences in the order of their weight."""
    without = int((~inventory.known).any(axis=1).sum())
    notes = [
        "贡献按“足迹×排放”份额法估算，未显式模拟化学转化与排放高度；浓度响应为线性近似，宜看作上限和排序依据。",
        *_warn_of_rise(surfaces, region),
    ]
    if surfaces:
        notes.append(
            "臭氧响应取自光化学箱式模型（通用反应机理GRS）响应面在零削减处的斜率，VOCs按臭氧生成潜势加权；"
            "响应面以2016年G20杭州模式研究的两组敏感性结果校准，其他城市按所处控制区类推。"
        )
    if without:
        notes.append(
            f"清单中有{without}家企业的排放量或位置不全，缺失项按未知处理、未计入贡献，企业仍保留在清单中。"
        )
    full = [p.name_zh for k, p in enumerate(Precursor) if (inventory.unlisted[:, k] == 0).any()]
    if full:
        notes.append(f"部分省份清单排放量已达到所采用的全省总量（{'、'.join(full)}），该省其余源按零计。")
    if (cap < 1).any():
        notes.append(
            f"清单企业臭氧改善合计按已查证上限（浓度的{settings.ozone.cap.value:.1%}，2016年G20杭州模式研究）作了等比压缩。"
        )
    return tuple(notes)


def _warn_of_rise(surfaces: Mapping[Target, OzoneSurface], region: Region) -> list[str]:
    """One sentence for the cities in which a NOx cut alone raises ozone on some day, none without any."""
    surface = surfaces.get(Target.O3_MDA8) or surfaces.get(Target.O3_MEAN)
    if surface is None or not surface.nox_alone_raises.any():
        return []
    rising = surface.nox_alone_raises
    codes = np.array(surface.receptors, dtype=object)[rising.any(axis=1)]
    names = "、".join(dict.fromkeys(region.city(code).short_zh for code in codes))
    # Blank where no cut of VOC makes up for the rise, as in winter air below the background.
    ratio = np.nan_to_num(np.where(rising, surface.least_voc_per_nox, 0.0)).max()
    text = f"{names}处于VOCs控制区，单独削减NOx将使臭氧上升"
    if ratio > 0:
        text += f"，NOx措施须与VOCs措施同步，VOCs与NOx的削减比例不低于{ratio:.1f}:1"
    return [text + "。"]
