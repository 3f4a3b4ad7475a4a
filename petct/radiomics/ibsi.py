"""The features of pyradiomics in the terms of the IBSI-1 reference manual (doi 10.1148/radiol.2020191145).

For each feature: the IBSI identifier, the IBSI name, the tag of its reference values, its unit, and how pyradiomics'
value differs from the definition, if it does.
"""

from __future__ import annotations

from dataclasses import dataclass

IMAGE = "image unit"
"""Unit of an intensity: SUV for PET and Hounsfield units for CT; the feature set says which."""


@dataclass(frozen=True)
class IbsiFeature:
    """One feature as IBSI knows it.

    Attributes
    ----------
    ibsi_id
        Four characters, for example RNU0; None where IBSI defines no such feature.
    tag
        Name of the feature in the files of reference values, without the part that tells the aggregation.
    unit
        ``IMAGE`` stands for the unit of the image; "1" for a number without unit.
    difference
        How pyradiomics differs and the formula from one value to the other; None where it does not.
    """

    ibsi_id: str | None
    name: str | None
    tag: str | None
    unit: str
    difference: str | None = None


NOT_IN_IBSI = "IBSI defines no such feature."
COVARIANCE = (
    "The covariance of the n voxel positions is divided by n, and IBSI's reference values fit n - 1: IBSI = value x "
    "sqrt(n / (n - 1))."
)
BIN_EDGES = (
    "With a fixed bin width, pyradiomics puts bin edges at multiples of the width and IBSI at the lower bound of the "
    "resegmentation range plus multiples of the width: equal when that bound is a multiple of the width."
)
GREY_LEVELS = (
    "With a fixed bin width, pyradiomics calls the region's lowest bin grey level 1, and IBSI the bin above the lower "
    "bound of the resegmentation range: IBSI level = level + floor(minimum / width) - bound / width, for a bound that "
    "is a multiple of the width."
)

# One feature a line: pyradiomics' name | IBSI id | IBSI name | tag. The mark * says that the value depends on
# which grey level is the first.
_TABLE = {
    "shape": """
        MeshVolume|RNU0|Volume (mesh)|morph_volume
        VoxelVolume|YEKZ|Volume (voxel counting)|morph_vol_approx
        SurfaceArea|C0JK|Surface area (mesh)|morph_area_mesh
        SurfaceVolumeRatio|2PR5|Surface to volume ratio|morph_av
        Sphericity|QCFX|Sphericity|morph_sphericity
        Maximum3DDiameter|L0JK|Maximum 3D diameter|morph_diam
        MajorAxisLength|TDIC|Major axis length|morph_pca_maj_axis
        MinorAxisLength|P9VJ|Minor axis length|morph_pca_min_axis
        LeastAxisLength|7J51|Least axis length|morph_pca_least_axis
        Elongation|Q3CK|Elongation|morph_pca_elongation
        Flatness|N17B|Flatness|morph_pca_flatness
        Maximum2DDiameterColumn|||
        Maximum2DDiameterRow|||
        Maximum2DDiameterSlice|||
    """,
    "firstorder": """
        Mean|Q4LE|Mean intensity|stat_mean
        Variance|ECT3|Intensity variance|stat_var
        Skewness|KE2A|Intensity skewness|stat_skew
        Kurtosis|IPH6|(Excess) intensity kurtosis|stat_kurt
        Median|Y12H|Median intensity|stat_median
        Minimum|1GSF|Minimum intensity|stat_min
        10Percentile|QG58|10th intensity percentile|stat_p10
        90Percentile|8DWT|90th intensity percentile|stat_p90
        Maximum|84IY|Maximum intensity|stat_max
        InterquartileRange|SALO|Intensity interquartile range|stat_iqr
        Range|2OJQ|Intensity range|stat_range
        MeanAbsoluteDeviation|4FUA|Intensity-based mean absolute deviation|stat_mad
        RobustMeanAbsoluteDeviation|1128|Intensity-based robust mean absolute deviation|stat_rmad
        Energy|N8CA|Intensity-based energy|stat_energy
        RootMeanSquared|5ZWQ|Root mean square intensity|stat_rms
        Entropy|TLU2|Discretised intensity entropy|ih_entropy
        Uniformity|BJ5W|Discretised intensity uniformity|ih_uniformity
        TotalEnergy|||
    """,
    "glcm": """
        MaximumProbability|GYBY|Joint maximum|cm_joint_max
        JointAverage|60VM|Joint average|cm_joint_avg*
        SumSquares|UR99|Joint variance|cm_joint_var
        JointEntropy|TU9B|Joint entropy|cm_joint_entr
        DifferenceAverage|TF7R|Difference average|cm_diff_avg
        DifferenceVariance|D3YU|Difference variance|cm_diff_var
        DifferenceEntropy|NTRS|Difference entropy|cm_diff_entr
        SumAverage|ZGXS|Sum average|cm_sum_avg*
        SumEntropy|P6QZ|Sum entropy|cm_sum_entr
        JointEnergy|8ZQL|Angular second moment|cm_energy
        Contrast|ACUI|Contrast|cm_contrast
        Id|IB1Z|Inverse difference|cm_inv_diff
        Idn|NDRX|Normalised inverse difference|cm_inv_diff_norm*
        Idm|WF0Z|Inverse difference moment|cm_inv_diff_mom
        Idmn|1QCO|Normalised inverse difference moment|cm_inv_diff_mom_norm*
        InverseVariance|E8JP|Inverse variance|cm_inv_var
        Correlation|NI2N|Correlation|cm_corr
        Autocorrelation|QWB0|Autocorrelation|cm_auto_corr*
        ClusterTendency|DG8W|Cluster tendency|cm_clust_tend
        ClusterShade|7NFM|Cluster shade|cm_clust_shade
        ClusterProminence|AE86|Cluster prominence|cm_clust_prom
        Imc1|R8DG|First measure of information correlation|cm_info_corr1
        Imc2|JN9H|Second measure of information correlation|cm_info_corr2
        MCC|||
    """,
    "glrlm": """
        ShortRunEmphasis|22OV|Short runs emphasis|rlm_sre
        LongRunEmphasis|W4KF|Long runs emphasis|rlm_lre
        LowGrayLevelRunEmphasis|V3SW|Low grey level run emphasis|rlm_lgre*
        HighGrayLevelRunEmphasis|G3QZ|High grey level run emphasis|rlm_hgre*
        ShortRunLowGrayLevelEmphasis|HTZT|Short run low grey level emphasis|rlm_srlge*
        ShortRunHighGrayLevelEmphasis|GD3A|Short run high grey level emphasis|rlm_srhge*
        LongRunLowGrayLevelEmphasis|IVPO|Long run low grey level emphasis|rlm_lrlge*
        LongRunHighGrayLevelEmphasis|3KUM|Long run high grey level emphasis|rlm_lrhge*
        GrayLevelNonUniformity|R5YN|Grey level non-uniformity|rlm_glnu
        GrayLevelNonUniformityNormalized|OVBL|Normalised grey level non-uniformity|rlm_glnu_norm
        RunLengthNonUniformity|W92Y|Run length non-uniformity|rlm_rlnu
        RunLengthNonUniformityNormalized|IC23|Normalised run length non-uniformity|rlm_rlnu_norm
        RunPercentage|9ZK5|Run percentage|rlm_r_perc
        GrayLevelVariance|8CE5|Grey level variance|rlm_gl_var
        RunVariance|SXLW|Run length variance|rlm_rl_var
        RunEntropy|HJ9O|Run entropy|rlm_rl_entr
    """,
    "glszm": """
        SmallAreaEmphasis|5QRC|Small zone emphasis|szm_sze
        LargeAreaEmphasis|48P8|Large zone emphasis|szm_lze
        LowGrayLevelZoneEmphasis|XMSY|Low grey level zone emphasis|szm_lgze*
        HighGrayLevelZoneEmphasis|5GN9|High grey level zone emphasis|szm_hgze*
        SmallAreaLowGrayLevelEmphasis|5RAI|Small zone low grey level emphasis|szm_szlge*
        SmallAreaHighGrayLevelEmphasis|HW1V|Small zone high grey level emphasis|szm_szhge*
        LargeAreaLowGrayLevelEmphasis|YH51|Large zone low grey level emphasis|szm_lzlge*
        LargeAreaHighGrayLevelEmphasis|J17V|Large zone high grey level emphasis|szm_lzhge*
        GrayLevelNonUniformity|JNSA|Grey level non-uniformity|szm_glnu
        GrayLevelNonUniformityNormalized|Y1RO|Normalised grey level non-uniformity|szm_glnu_norm
        SizeZoneNonUniformity|4JP3|Zone size non-uniformity|szm_zsnu
        SizeZoneNonUniformityNormalized|VB3A|Normalised zone size non-uniformity|szm_zsnu_norm
        ZonePercentage|P30P|Zone percentage|szm_z_perc
        GrayLevelVariance|BYLV|Grey level variance|szm_gl_var
        ZoneVariance|3NSA|Zone size variance|szm_zs_var
        ZoneEntropy|GU8N|Zone size entropy|szm_zs_entr
    """,
    "gldm": """
        SmallDependenceEmphasis|SODN|Low dependence emphasis|ngl_lde
        LargeDependenceEmphasis|IMOQ|High dependence emphasis|ngl_hde
        LowGrayLevelEmphasis|TL9H|Low grey level count emphasis|ngl_lgce*
        HighGrayLevelEmphasis|OAE7|High grey level count emphasis|ngl_hgce*
        SmallDependenceLowGrayLevelEmphasis|EQ3F|Low dependence low grey level emphasis|ngl_ldlge*
        SmallDependenceHighGrayLevelEmphasis|JA6D|Low dependence high grey level emphasis|ngl_ldhge*
        LargeDependenceLowGrayLevelEmphasis|NBZI|High dependence low grey level emphasis|ngl_hdlge*
        LargeDependenceHighGrayLevelEmphasis|9QMG|High dependence high grey level emphasis|ngl_hdhge*
        GrayLevelNonUniformity|FP8K|Grey level non-uniformity|ngl_glnu
        DependenceNonUniformity|Z87G|Dependence count non-uniformity|ngl_dcnu
        DependenceNonUniformityNormalized|OKJI|Normalised dependence count non-uniformity|ngl_dcnu_norm
        GrayLevelVariance|1PFV|Grey level variance|ngl_gl_var
        DependenceVariance|DNX2|Dependence count variance|ngl_dc_var
        DependenceEntropy|FCBV|Dependence count entropy|ngl_dc_entr
    """,
    "ngtdm": """
        Coarseness|QCDE|Coarseness|ngt_coarseness
        Contrast|65HE|Contrast|ngt_contrast
        Busyness|NQ30|Busyness|ngt_busyness*
        Complexity|HDEZ|Complexity|ngt_complexity
        Strength|1X9X|Strength|ngt_strength
    """,
}

_SHAPE_UNITS = {
    **dict.fromkeys(("Elongation", "Flatness", "Sphericity"), "1"),
    **dict.fromkeys(("MeshVolume", "VoxelVolume"), "mm3"),
    "SurfaceArea": "mm2",
    "SurfaceVolumeRatio": "1/mm",
}
_FIRST_ORDER_UNITS = {
    **dict.fromkeys(("Skewness", "Kurtosis", "Entropy", "Uniformity"), "1"),
    **dict.fromkeys(("Variance", "Energy"), f"({IMAGE})2"),
    "TotalEnergy": f"({IMAGE})2 mm3",
}
_DIFFERENCES = {
    **dict.fromkeys((("shape", f"{axis}AxisLength") for axis in ("Major", "Minor", "Least")), COVARIANCE),
    ("firstorder", "Kurtosis"): "Not excess kurtosis: IBSI = value - 3.",
    ("firstorder", "TotalEnergy"): f"{NOT_IN_IBSI} IBSI energy (N8CA) = value / voxel volume in mm3.",
    ("firstorder", "Entropy"): BIN_EDGES,
    ("firstorder", "Uniformity"): BIN_EDGES,
}


def _unit(feature_class: str, name: str) -> str:
    if feature_class == "shape":
        return _SHAPE_UNITS.get(name, "mm")
    return _FIRST_ORDER_UNITS.get(name, IMAGE) if feature_class == "firstorder" else "1"


def _feature(feature_class: str, line: str) -> tuple[tuple[str, str], IbsiFeature]:
    name, ibsi_id, ibsi_name, tag = line.strip().split("|")
    key = (feature_class, name)
    unit = _unit(feature_class, name)
    if not ibsi_id:
        return key, IbsiFeature(None, None, None, unit, _DIFFERENCES.get(key, NOT_IN_IBSI))
    texture = feature_class not in ("shape", "firstorder")
    difference = GREY_LEVELS if tag.endswith("*") else BIN_EDGES if texture else None
    return key, IbsiFeature(ibsi_id, ibsi_name, tag.rstrip("*"), unit, _DIFFERENCES.get(key, difference))


IBSI_FEATURES: dict[tuple[str, str], IbsiFeature] = dict(
    _feature(feature_class, line)
    for feature_class, lines in _TABLE.items()
    for line in lines.split("\n")
    if line.strip()
)
"""Feature class and pyradiomics' name within it to what IBSI says about it, for the 107 features of an image."""
