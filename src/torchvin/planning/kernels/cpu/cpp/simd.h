// A vector of lanes for the instruction set this file is compiled for: AVX-512, AVX2 with FMA, or whatever 16 bytes the
// compiler has (NEON, SSE2). Everything else is written once, on the compiler's vector extension.
//
// Each instruction set lives in a namespace of its own (TORCHVIN_ISA): the linker must never hand a function compiled
// for one to a machine that has another.
#pragma once

#include "layout.h"

#include <cstddef>
#include <cstdint>
#include <type_traits>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace torchvin::TORCHVIN_ISA {

#if defined(__AVX512F__)
constexpr int vector_bytes = 64, registers = 32;
#elif defined(__AVX2__)
constexpr int vector_bytes = 32, registers = 16;
#else
constexpr int vector_bytes = 16, registers = 16;
#endif

template <class T> struct Types;
template <> struct Types<float> {
    typedef float Vector __attribute__((vector_size(vector_bytes)));
    typedef int32_t Integers __attribute__((vector_size(vector_bytes)));
    typedef int32_t Integer;
};
template <> struct Types<double> {
    typedef double Vector __attribute__((vector_size(vector_bytes)));
    typedef int64_t Integers __attribute__((vector_size(vector_bytes)));
    typedef int64_t Integer;
};
template <class T> using Vector = typename Types<T>::Vector;
template <class T> using Integers = typename Types<T>::Integers;
template <class T> using Integer = typename Types<T>::Integer;
template <class T> constexpr int lanes = vector_bytes / sizeof(T);

template <class T> TORCHVIN_INLINE Vector<T> load(const T* from) {
    Vector<T> result;
    __builtin_memcpy(&result, from, sizeof result);
    return result;
}
template <class T> TORCHVIN_INLINE void store(T* to, Vector<T> value) { __builtin_memcpy(to, &value, sizeof value); }

// Loaded into a register, once: the compiler would rather load again for each use, and on Zen 4 a load of 64 bytes costs
// as much as the multiply-add that uses it.
template <class T> TORCHVIN_INLINE Vector<T> load_once(const T* from) {
    Vector<T> result = load(from);
#if defined(__AVX512F__)
    asm("" : "+v"(result));
#endif
    return result;
}

template <class T> TORCHVIN_INLINE Vector<T> broadcast(T value) { return value - Vector<T>{}; }

// Which lanes: bit by bit, the first lane lowest.
using Bits = uint32_t;

template <class T> TORCHVIN_INLINE Bits first_lanes(ptrdiff_t count) {
    return count >= lanes<T> ? (Bits{1} << lanes<T>) - 1 : (Bits{1} << count) - 1;
}

template <class T> TORCHVIN_INLINE Integers<T> lanes_of(Bits bits) {
    Integers<T> lane{};
    for (int n = 0; n < lanes<T>; ++n) lane[n] = Integer<T>{1} << n;
    return (lane & (static_cast<Integer<T>>(bits) - Integers<T>{})) != 0;
}

template <class T> TORCHVIN_INLINE Vector<T> keep(Bits bits, Vector<T> value) {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float>) return (Vector<T>)_mm512_maskz_mov_ps(static_cast<__mmask16>(bits), (__m512)value);
    else return (Vector<T>)_mm512_maskz_mov_pd(static_cast<__mmask8>(bits), (__m512d)value);
#else
    return reinterpret_cast<Vector<T>>(lanes_of<T>(bits) & reinterpret_cast<Integers<T>>(value));
#endif
}

// a + b, and a in the lanes left out.
template <class T> TORCHVIN_INLINE Vector<T> add_some(Bits bits, Vector<T> a, Vector<T> b) {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float>)
        return (Vector<T>)_mm512_mask_add_ps((__m512)a, static_cast<__mmask16>(bits), (__m512)a, (__m512)b);
    else return (Vector<T>)_mm512_mask_add_pd((__m512d)a, static_cast<__mmask8>(bits), (__m512d)a, (__m512d)b);
#else
    return a + keep<T>(bits, b);
#endif
}

// Loads and stores that do not touch the lanes left out.
template <class T> TORCHVIN_INLINE Vector<T> load_some(Bits bits, const T* from) {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float>) return (Vector<T>)_mm512_maskz_loadu_ps(static_cast<__mmask16>(bits), from);
    else return (Vector<T>)_mm512_maskz_loadu_pd(static_cast<__mmask8>(bits), from);
#else
    if (bits == first_lanes<T>(lanes<T>)) return load(from);
    Vector<T> result{};
    for (int lane = 0; lane < lanes<T>; ++lane)
        if (bits >> lane & 1) result[lane] = from[lane];
    return result;
#endif
}
template <class T> TORCHVIN_INLINE void store_some(Bits bits, T* to, Vector<T> value) {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float>) _mm512_mask_storeu_ps(to, static_cast<__mmask16>(bits), (__m512)value);
    else _mm512_mask_storeu_pd(to, static_cast<__mmask8>(bits), (__m512d)value);
#else
    if (bits == first_lanes<T>(lanes<T>)) return store(to, value);
    for (int lane = 0; lane < lanes<T>; ++lane)
        if (bits >> lane & 1) to[lane] = value[lane];
#endif
}

// A byte a lane: which of the lanes differ between two places in memory.
template <class T> TORCHVIN_INLINE Bits differing_bytes(const uint8_t* one, const uint8_t* other) {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float>)
        return _mm_cmpneq_epi8_mask(_mm_loadu_si128(reinterpret_cast<const __m128i*>(one)),
                                    _mm_loadu_si128(reinterpret_cast<const __m128i*>(other)));
    else
        return _mm_cmpneq_epi8_mask(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(one)),
                                    _mm_loadl_epi64(reinterpret_cast<const __m128i*>(other)));
#else
    if (__builtin_memcmp(one, other, lanes<T>) == 0) return 0;
    Bits bits = 0;
    for (int lane = 0; lane < lanes<T>; ++lane) bits |= Bits{one[lane] != other[lane]} << lane;
    return bits;
#endif
}

template <class T> TORCHVIN_INLINE bool all(Integers<T> mask) {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float>) return _mm512_movepi32_mask((__m512i)mask) == 0xffff;
    else return _mm512_movepi64_mask((__m512i)mask) == 0xff;
#else
    Integer<T> every = -1;
    for (int lane = 0; lane < lanes<T>; ++lane) every &= mask[lane];
    return every != 0;
#endif
}

// The larger of two vectors without NaN.
template <class T> TORCHVIN_INLINE Vector<T> larger(Vector<T> a, Vector<T> b) {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float>) return (Vector<T>)_mm512_max_ps((__m512)a, (__m512)b);
    else return (Vector<T>)_mm512_max_pd((__m512d)a, (__m512d)b);
#elif defined(__AVX2__)
    if constexpr (std::is_same_v<T, float>) return (Vector<T>)_mm256_max_ps((__m256)a, (__m256)b);
    else return (Vector<T>)_mm256_max_pd((__m256d)a, (__m256d)b);
#else
    return a > b ? a : b;
#endif
}

// One byte a lane, from and to memory.
template <class T> TORCHVIN_INLINE Integers<T> load_bytes(const uint8_t* from) {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float>)
        return (Integers<T>)_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
    else return (Integers<T>)_mm512_cvtepu8_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
#elif defined(__AVX2__)
    if constexpr (std::is_same_v<T, float>)
        return (Integers<T>)_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
    else {
        int32_t four;
        __builtin_memcpy(&four, from, 4);
        return (Integers<T>)_mm256_cvtepu8_epi64(_mm_cvtsi32_si128(four));
    }
#else
    Integers<T> result;
    for (int lane = 0; lane < lanes<T>; ++lane) result[lane] = from[lane];
    return result;
#endif
}
template <class T> TORCHVIN_INLINE void store_bytes(uint8_t* to, Integers<T> value) {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float>)
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8((__m512i)value));
    else _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm512_cvtepi64_epi8((__m512i)value));
#else
    for (int lane = 0; lane < lanes<T>; ++lane) to[lane] = static_cast<uint8_t>(value[lane]);
#endif
}

template <class T> TORCHVIN_INLINE void store_some_bytes(Bits bits, uint8_t* to, Integers<T> value) {
    if (bits == first_lanes<T>(lanes<T>)) return store_bytes<T>(to, value);
    for (int lane = 0; lane < lanes<T>; ++lane)
        if (bits >> lane & 1) to[lane] = static_cast<uint8_t>(value[lane]);
}

// table[index], lane by lane. `Small`: at most 16 entries, which the table in memory has. Bytes that are no index may come,
// from outside the map; they find any entry.
template <class T, bool Small> struct Table {
    const T* from = nullptr;
    int entries = 0;
#if defined(__AVX512F__)
    Vector<T> low{}, high{};
#elif defined(__AVX2__)
    Vector<float> low{}, high{};
#endif
    Table() = default;
    TORCHVIN_INLINE Table(const T* table, int entries) : from(table), entries(entries) {
#if defined(__AVX512F__) || defined(__AVX2__)
        if constexpr (Small && std::is_same_v<T, float>) low = load(table);
#endif
#if defined(__AVX512F__)
        if constexpr (Small && !std::is_same_v<T, float>) low = load(table), high = load(table + 8);
#elif defined(__AVX2__)
        if constexpr (Small && std::is_same_v<T, float>) high = load(table + 8);
#endif
    }
    TORCHVIN_INLINE Vector<T> at(Integers<T> index) const {
#if defined(__AVX512F__)
        if constexpr (Small && std::is_same_v<T, float>)
            return (Vector<T>)_mm512_permutexvar_ps((__m512i)index, (__m512)low);
        else if constexpr (Small) return (Vector<T>)_mm512_permutex2var_pd((__m512d)low, (__m512i)index, (__m512d)high);
#elif defined(__AVX2__)
        if constexpr (Small && std::is_same_v<T, float>) {
            const __m256i chosen = (__m256i)index;
            const __m256 one = _mm256_permutevar8x32_ps((__m256)low, chosen);
            const __m256 other = _mm256_permutevar8x32_ps((__m256)high, chosen);
            return (Vector<T>)_mm256_blendv_ps(one, other, _mm256_castsi256_ps(_mm256_slli_epi32(chosen, 28)));
        }
#endif
        Vector<T> result;
        for (int lane = 0; lane < lanes<T>; ++lane) result[lane] = from[index[lane] < entries ? index[lane] : 0];
        return result;
    }
};

// Nine vectors, taken apart lane by lane: what they have in a lane is a column, and is added to a row in memory.
template <class T> struct Columns {
    Vector<T> vectors[9];
    TORCHVIN_INLINE explicit Columns(const Vector<T> (&from)[9]) {
        for (int t = 0; t < 9; ++t) vectors[t] = from[t];
    }

    // Adds the column of a lane to to[0], ..., to[8], of 16; only where a bit of `which` is set.
    TORCHVIN_INLINE void add(int lane, Bits which, T* to) const {
#if defined(__AVX512F__)
        if constexpr (std::is_same_v<T, float>) {
            const __m512i here = _mm512_set1_epi32(lane), in_pair = _mm512_mask_add_epi32(here, 0xaaaa, here, _mm512_set1_epi32(16));
            const auto pair = [&](int t) { return _mm512_permutex2var_ps((__m512)vectors[t], in_pair, (__m512)vectors[t + 1]); };
            const __m512 low = _mm512_mask_mov_ps(pair(0), 0xcccc, pair(2)), high = _mm512_mask_mov_ps(pair(4), 0xcccc, pair(6));
            const __m512 ninth = _mm512_permutexvar_ps(here, (__m512)vectors[8]);
            return add_to(to, which, _mm512_mask_mov_ps(_mm512_mask_mov_ps(low, 0xf0f0, high), 0xff00, ninth));
        }
#endif
        for (int t = 0; t < 9; ++t) to[t] += which >> t & 1 ? vectors[t][lane] : T(0);
    }

    // The same for all lanes: which(lane) and to(lane).
    template <class Which, class To> TORCHVIN_INLINE void add_all(const Which& which, const To& to) const {
#if defined(__AVX512F__)
        if constexpr (std::is_same_v<T, float>) {
            // Four rows of four lanes become four columns, in each quarter of the vectors.
            __m512d quarters[2][4];
#pragma GCC unroll 2
            for (int half = 0; half < 2; ++half) {
                const auto row = [&](int t) { return (__m512)vectors[4 * half + t]; };
                const auto low = (__m512d)_mm512_unpacklo_ps(row(0), row(1)), low2 = (__m512d)_mm512_unpacklo_ps(row(2), row(3));
                const auto high = (__m512d)_mm512_unpackhi_ps(row(0), row(1)), high2 = (__m512d)_mm512_unpackhi_ps(row(2), row(3));
                quarters[half][0] = _mm512_unpacklo_pd(low, low2), quarters[half][1] = _mm512_unpackhi_pd(low, low2);
                quarters[half][2] = _mm512_unpacklo_pd(high, high2), quarters[half][3] = _mm512_unpackhi_pd(high, high2);
            }
#pragma GCC unroll 16
            for (int lane = 0; lane < 16; ++lane) {
                const int64_t two = lane / 4 * 2;
                const __m512i from = _mm512_setr_epi64(two, two + 1, two + 8, two + 9, 0, 0, 0, 0);
                const __m512 column = (__m512)_mm512_permutex2var_pd(quarters[0][lane % 4], from, quarters[1][lane % 4]);
                add_to(to(lane), which(lane),
                       _mm512_mask_permutexvar_ps(column, 0x100, _mm512_set1_epi32(lane), (__m512)vectors[8]));
            }
            return;
        }
#endif
        for (int lane = 0; lane < lanes<T>; ++lane) add(lane, which(lane), to(lane));
    }

  private:
#if defined(__AVX512F__)
    static TORCHVIN_INLINE void add_to(float* to, Bits which, __m512 column) {
        store(to, add_some<float>(which, load(to), (Vector<float>)column));
    }
#endif
};

}  // namespace torchvin::TORCHVIN_ISA
