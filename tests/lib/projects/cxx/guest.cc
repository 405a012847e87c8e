/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A C++ project's own class over the library: it owns an address space and its frames, throws on an
 * error, and frees everything when it ends.
 */
#include <mm/aspace.h>
#include <mm/version.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <set>
#include <stdexcept>

namespace
{

class Guest
{
      public:
	explicit Guest(std::uint64_t bytes) : as(std::make_unique<mm_aspace>())
	{
		mm_aspace_config config = {};

		config.format = &mm_npt_gstage;
		config.npt.levels = 3;
		config.npt.root_bits = 11;
		config.npt.hpa_bits = 56;
		config.hal.ctx = this;
		config.hal.alloc = take;
		config.hal.free = give_back;
		config.hal.flush = [](void *, const mm_flush *) {};
		config.limits = mm_gpa_range(mm_gpa_at(0), bytes);
		config.quota = UINT64_MAX;
		check(mm_aspace_init(as.get(), &config));
	}

	~Guest()
	{
		mm_aspace_destroy(as.get());
		if (!frames.empty())
			std::abort();
	}

	Guest(const Guest &) = delete;
	Guest &operator=(const Guest &) = delete;

	void map(std::uint64_t start, std::uint64_t bytes)
	{
		check(mm_aspace_map_alloc(as.get(), mm_gpa_range(mm_gpa_at(start), bytes), MM_RW,
		                          mm_aspace_backing{}));
	}

	void unmap(std::uint64_t start, std::uint64_t bytes)
	{
		check(mm_aspace_unmap(as.get(), mm_gpa_range(mm_gpa_at(start), bytes)));
	}

	mm_fault fault(std::uint64_t at, mm_perm access)
	{
		return mm_aspace_fault(as.get(), mm_gpa_at(at), access);
	}

	void store(std::uint64_t at, std::uint64_t value)
	{
		check(mm_aspace_store(as.get(), mm_gpa_at(at), 8, value));
	}

	std::uint64_t load(std::uint64_t at)
	{
		std::uint64_t value = 0;

		check(mm_aspace_load(as.get(), mm_gpa_at(at), 8, &value));
		return value;
	}

      private:
	static void check(mm_error error)
	{
		if (error != MM_OK)
			throw std::runtime_error(mm_error_name(error));
	}

	/* A root of RISC-V is 16 KiB, aligned to its size. Frames may be freed one by one, so a
	 * larger block is never given where the library can do with frames. */
	static std::size_t take(void *ctx, unsigned order, std::size_t n, mm_hpa_t out[])
	{
		Guest *guest = static_cast<Guest *>(ctx);
		std::size_t bytes = MM_PAGE_SIZE << order, got = 0;

		for (; order <= 2 && got < n; got++) {
			void *block = std::aligned_alloc(bytes, bytes);

			if (block == nullptr)
				break;
			guest->frames.insert(block);
			out[got] = mm_hpa_at(reinterpret_cast<std::uintptr_t>(block));
		}
		return got;
	}

	static void give_back(void *ctx, unsigned, std::size_t n, const mm_hpa_t in[])
	{
		Guest *guest = static_cast<Guest *>(ctx);

		for (std::size_t i = 0; i < n; i++) {
			void *block =
				reinterpret_cast<void *>(static_cast<std::uintptr_t>(in[i].raw));

			if (guest->frames.erase(block) != 1)
				std::abort();
			std::free(block);
		}
	}

	std::set<void *> frames;
	std::unique_ptr<mm_aspace> as;
};

} // namespace

int main()
{
	Guest guest(UINT64_C(1) << 40);
	std::uint64_t value;

	guest.map(0x40000000, UINT64_C(1) << 30);
	if (guest.fault(0x40001234, MM_W) != MM_FAULT_MAPPED)
		return 1;
	guest.store(0x40001238, 42);
	value = guest.load(0x40001238);
	guest.unmap(0x40001000, MM_PAGE_SIZE);
	try {
		guest.load(0x40001238);
		return 1;
	} catch (const std::runtime_error &error) {
		std::cout << "value=" << value << " then=" << error.what()
			  << " version=" << (mm_version() == MM_VERSION ? "same" : "other") << "\n";
	}
	return 0;
}
