; binary_gcd.asm: the divisor of two unsigned numbers, by shifts and subtractions.
;
;   uint64_t binary_gcd(uint64_t a, uint64_t b)
;
; Divides the powers of two out, then takes the smaller of two odd numbers from the larger, whose difference is even.
; It knows nothing of Python, and is hidden: the module's alone. Changes its arguments, rax, rcx, r10 and r11.

%include "nasm_build/function.inc"

hidden_leaf_function binary_gcd, a, b, scratch(x), scratch(y)
    mov     x, a
    mov     y, b
    mov     rax, x
    or      rax, y                          ; the other one where either is 0
    test    x, x
    jz      .done
    test    y, y
    jz      .done

    bsf     rcx, x
    shr     x, cl
.next:
    bsf     rcx, y
    shr     y, cl
    cmp     x, y
    jbe     .ordered
    xchg    x, y
.ordered:
    sub     y, x
    jnz     .next
    bsf     rcx, rax                        ; the twos that both have had
    mov     rax, x
    shl     rax, cl
.done:
    return
end_function
