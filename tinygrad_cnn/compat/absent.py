"""Methods and attributes of PyTorch's Tensor and Module that are not here.

A name that its class has by now is skipped. `tests/compat/test_missing.py` holds that no name of the
coverage page is left out.
"""

from __future__ import annotations

TENSOR = """
    absolute_ acos_ acosh_ addbmm addbmm_ addmm_ addmv_ addr addr_ adjoint angle apply_
    arccos_ arccosh arccosh_ arcsin_ arcsinh arcsinh_ arctan2 arctan2_ arctan_ arctanh
    arctanh_ as_strided as_strided_ as_strided_scatter as_subclass asin_ asinh_ atan2_ atanh_
    baddbmm_ bfloat16 bitwise_and_ bitwise_left_shift bitwise_left_shift_ bitwise_not_
    bitwise_or_ bitwise_right_shift bitwise_right_shift_ bitwise_xor_ cauchy_ ccol_indices
    cdouble cfloat chalf cholesky cholesky_inverse cholesky_solve coalesce col_indices conj
    conj_physical conj_physical_ const_data_ptr copysign copysign_ corrcoef cov crow_indices
    cummax cummin deg2rad deg2rad_ dense_dim dequantize det diagflat diagonal_scatter diff
    digamma digamma_ dim_order dist dsplit eig eq_ erfc erfc_ exp2 exp2_ fill_diagonal_ fix_
    float_power float_power_ fmax fmin frexp gcd gcd_ ge_ geometric_ geqrf get_device
    grad_dtype greater_ greater_equal_ gt_ H hardshrink hash_tensor heaviside heaviside_
    histogram hsplit i0 i0_ igamma igamma_ igammac igammac_ imag index index_put index_put_
    index_reduce index_reduce_ indices int_repr inverse ipu is_coalesced is_complex is_conj
    is_cpu is_distributed is_inference is_ipu is_maia is_meta is_mkldnn is_mps is_mtia is_neg
    is_nested is_nonzero is_pinned is_quantized is_same_size is_set_to is_shared is_signed
    is_sparse_csr is_vulkan is_xla is_xpu isreal istft itemsize kthvalue lcm lcm_ ldexp ldexp_
    le_ less_ less_equal_ lgamma lgamma_ log_normal_ logaddexp2 logcumsumexp logdet lstsq lt_
    lu lu_solve map2_ map_ matrix_exp matrix_power mH mode module_load msort mtia mvlgamma
    mvlgamma_ name nanmean nanmedian nanquantile nansum narrow_copy ndimension ne_ negative_
    new new_empty_strided nextafter nextafter_ nonzero_static not_equal_ orgqr ormqr output_nr
    pinverse polygamma polygamma_ prelu put put_ q_per_channel_axis q_per_channel_scales
    q_per_channel_zero_points q_scale q_zero_point qr qscheme quantile rad2deg rad2deg_ real
    record_stream register_post_accumulate_grad_hook reinforce renorm renorm_ resize resize_
    resize_as resize_as_ resize_as_sparse_ resolve_conj resolve_neg row_indices scatter_reduce
    scatter_reduce_ select_scatter set_ sgn_ share_memory_ signbit sinc sinc_ slice_inverse
    slice_scatter slogdet smm solve sparse_dim sparse_mask sparse_resize_
    sparse_resize_and_clear_ split_with_sizes squeeze_ sspaddmm stft storage storage_offset
    storage_type sum_to_size svd swapaxes_ swapdims_ symeig t_ tensor_split to_dense to_mkldnn
    to_padded_tensor to_sparse to_sparse_bsc to_sparse_bsr to_sparse_coo to_sparse_csc
    to_sparse_csr transpose_ triangular_solve true_divide_ unfold unique_consecutive
    unsafe_chunk unsafe_split unsafe_split_with_sizes unsqueeze_ untyped_storage values
    volatile vsplit xlogy xlogy_ xpu
""".split()

MODULE = "ipu mtia to_empty xpu".split()
