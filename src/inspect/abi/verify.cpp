#include "inspect/abi/verify.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>

#include "inspect/abi/analysis.hpp"

namespace nasm_build::inspect::abi {

namespace {

/// Bytes of the states that are kept of functions that call each other, until all of them are known.
constexpr std::size_t most_kept = std::size_t{64} << 20U;

/// The strongly connected components of the graph of calls, callees first (Tarjan 1972, without recursion).
class Components {
public:
    explicit Components(const Program& program) : program_(program), nodes_(program.functions().size()) {
        for (std::size_t index = 0; index < nodes_.size(); ++index) {
            if (nodes_[index].number == 0) {
                visit(index);
            }
        }
    }

    [[nodiscard]] const std::vector<std::vector<std::size_t>>& all() const noexcept { return components_; }

private:
    struct Node {
        std::size_t number = 0;  ///< in the order of the visit, from 1
        std::size_t low = 0;
        std::size_t finished = 0;  ///< in the order in which all that it calls were visited
        std::size_t next_callee = 0;
        bool is_on_stack = false;
    };

    void enter(std::size_t index) {
        nodes_[index].number = nodes_[index].low = ++count_;
        nodes_[index].is_on_stack = true;
        stack_.push_back(index);
        calls_.push_back(index);
    }

    void visit(std::size_t root) {
        enter(root);
        while (!calls_.empty()) {
            const std::size_t index = calls_.back();
            Node& node = nodes_[index];
            const auto callees = program_.callees(index);
            if (node.next_callee < callees.size()) {
                const std::size_t callee = callees[node.next_callee++];
                if (nodes_[callee].number == 0) {
                    enter(callee);
                } else if (nodes_[callee].is_on_stack) {
                    node.low = std::min(node.low, nodes_[callee].number);
                }
                continue;
            }
            calls_.pop_back();
            node.finished = ++finished_;
            if (!calls_.empty()) {
                nodes_[calls_.back()].low = std::min(nodes_[calls_.back()].low, node.low);
            }
            if (node.low == node.number) {
                take(index);
            }
        }
    }

    void take(std::size_t root) {
        std::vector<std::size_t>& component = components_.emplace_back();
        for (;;) {
            const std::size_t index = stack_.back();
            stack_.pop_back();
            nodes_[index].is_on_stack = false;
            component.push_back(index);
            if (index == root) {
                break;
            }
        }
        // Callees first, but where they call each other: then most of what a function needs is known when it is followed.
        std::sort(component.begin(), component.end(),
                  [this](std::size_t one, std::size_t other) { return nodes_[one].finished < nodes_[other].finished; });
    }

    const Program& program_;
    std::vector<Node> nodes_;
    std::vector<std::size_t> stack_;
    std::vector<std::size_t> calls_;
    std::vector<std::vector<std::size_t>> components_;
    std::size_t count_ = 0;
    std::size_t finished_ = 0;
};

void merge(Summary& into, const Summary& found) {
    into.changed.add(found.changed);
    into.changed_vectors.add(found.changed_vectors);
    into.returns = into.returns || found.returns;
    into.is_followed = into.is_followed && found.is_followed;
    into.needs_alignment = into.needs_alignment || found.needs_alignment;
    into.writes_home = into.writes_home || found.writes_home;
    into.destroyed = into.destroyed.both(found.destroyed);
    into.destroyed_vectors = into.destroyed_vectors.both(found.destroyed_vectors);
    into.leaves_upper_used = into.leaves_upper_used || found.leaves_upper_used;
    into.may_leave_upper_alone = into.may_leave_upper_alone || found.may_leave_upper_alone;
    into.changed_floating = static_cast<std::uint8_t>(into.changed_floating | found.changed_floating);
    into.leaves_direction = into.leaves_direction || found.leaves_direction;
    into.pops = std::max(into.pops, found.pops);
}

class Run {
public:
    explicit Run(Program& program)
        : program_(program),
          convention_(convention_of(program.image())),
          summaries_(program.functions().size()),
          results_(program.functions().size()),
          callers_(program.functions().size()) {}

    Verified run() {
        const Components components(program_);
        for (const std::vector<std::size_t>& component : components.all()) {
            settle(component);
        }
        // A call that only a jump table leads to was not seen when the order was made.
        while (!stale_.empty()) {
            const std::size_t index = *stale_.begin();
            stale_.erase(stale_.begin());
            take_faults(index, analyse(index));
        }
        return collect();
    }

private:
    struct Result {
        std::vector<Fault> faults;
        std::string reason;
        std::uint64_t reason_address = 0;
    };

    [[nodiscard]] bool is_analysed(std::size_t index) const {
        const Function& function = program_.functions()[index];
        return !function.is_part && !function.is_label;
    }

    void settle(const std::vector<std::size_t>& component) {
        for (const std::size_t index : component) {
            if (is_analysed(index)) {
                stale_.insert(index);
            }
        }
        // What was found of a function counts once those that it calls are known; until then it is kept, or found out anew.
        std::unordered_map<std::size_t, std::unique_ptr<Analysis>> kept;
        std::size_t size = 0;
        const auto is_stale = [this](std::size_t index) { return stale_.contains(index); };
        while (std::any_of(component.begin(), component.end(), is_stale)) {
            for (const std::size_t index : component) {
                if (stale_.erase(index) == 0) {
                    continue;
                }
                std::unique_ptr<Analysis>& analysis = kept[index];
                size -= analysis ? analysis->memory() : 0;
                analysis = analyse(index);
                const std::size_t own = analysis->memory();
                if (component.size() > 1 && size + own > most_kept) {
                    analysis.reset();
                } else {
                    size += own;
                }
            }
        }
        for (auto& [index, analysis] : kept) {
            take_faults(index, analysis ? std::move(analysis) : analyse(index));
        }
    }

    void take_faults(std::size_t index, std::unique_ptr<Analysis> analysis) {
        Result& result = results_[index];
        result.faults = analysis->faults();
        result.reason = analysis->reason();
        result.reason_address = analysis->reason_address();
    }

    std::unique_ptr<Analysis> analyse(std::size_t index) {
        auto analysis = std::make_unique<Analysis>(program_, convention_, summaries_, index);
        analysis->run();
        Summary found = summaries_[index];
        merge(found, analysis->summary());
        for (const std::size_t callee : analysis->callees()) {
            callers_[callee].insert(index);
        }
        // What a function is told of is not told of its callers as well.
        if (program_.functions()[index].has_known_convention) {
            found.changed = found.changed.without(convention_.kept);
            found.changed_vectors = found.changed_vectors.without(convention_.kept_vectors);
            found.leaves_direction = false;
            found.leaves_upper_used = false;
            found.changed_floating = 0;
        }
        if (!(found == summaries_[index])) {
            summaries_[index] = found;
            stale_.insert(callers_[index].begin(), callers_[index].end());
        }
        return analysis;
    }

    Verified collect() {
        Verified verified;
        verified.instructions = program_.decoded_instructions();
        for (std::size_t index = 0; index < results_.size(); ++index) {
            if (!is_analysed(index)) {
                continue;
            }
            ++verified.functions;
            const Function& function = program_.functions()[index];
            Result& result = results_[index];
            if (!result.reason.empty()) {
                verified.not_followed.push_back(
                    {index, program_.display_name(function.address), result.reason_address, result.reason});
            }
            for (Fault& fault : result.faults) {
                fault.name = program_.display_name(function.address);
                fault.location = program_.location(function, fault.address);
                fault.source = program_.source_at(fault.address);
                for (Step& step : fault.path) {
                    step.location = program_.location(function, step.address);
                    step.source = program_.source_at(step.address);
                }
                verified.faults.push_back(std::move(fault));
            }
        }
        return verified;
    }

    Program& program_;
    const Convention& convention_;
    std::vector<Summary> summaries_;
    std::vector<Result> results_;
    std::vector<std::set<std::size_t>> callers_;
    std::set<std::size_t> stale_;
};

}  // namespace

const Convention& convention_of(const Image& image) noexcept {
    return image.format == Format::pe ? win64 : system_v;
}

Verified verify(Program& program) {
    return Run(program).run();
}

}  // namespace nasm_build::inspect::abi
