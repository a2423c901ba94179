"""The comparison of a gradient with differences, on arrays: any function, any library.

- `subject`: a function of arrays, and its vjp;
- `line`: the function along a direction, at steps of many sizes;
- `verdict`: whether the gradient is right along a line, decided by exclusion;
- `blocks`: the elements that are compared at one scale;
- `locate`: the element, and the entry of the Jacobian, that is wrong.

It imports NumPy alone.
"""

from .subject import Array, Subject, blur, module_of

__all__ = ["Array", "Subject", "blur", "module_of"]
