from .domain.control.agents import (
    AssignTask as AssignTask,
    Budget as Budget,
    GoalSet as GoalSet,
    PauseAgent as PauseAgent,
    ResumeAgent as ResumeAgent,
)
from .domain.control.events import (
    ClockTicked as ClockTicked,
    ExternalEventReceived as ExternalEventReceived,
    RunRequested as RunRequested,
)
from .domain.control.incidents import (
    AnomalyDetected as AnomalyDetected,
    BottleneckDetected as BottleneckDetected,
    CloseIncident as CloseIncident,
    IncidentKind as IncidentKind,
    OpenIncident as OpenIncident,
)
from .domain.control.integrity import (
    IntegrityCheckFailed as IntegrityCheckFailed,
)
from .domain.control.proposals import (
    Effect as Effect,
    Proposal as Proposal,
    RevertProposal as RevertProposal,
)
from .domain.control.runs import (
    RunFailed as RunFailed,
)
from .domain.control.services import (
    RestartService as RestartService,
    ServiceFailed as ServiceFailed,
)
from .domain.money import (
    Money as Money,
)
from .domain.shop.catalog import (
    CompetitorPriceObserved as CompetitorPriceObserved,
    CostChanged as CostChanged,
    ObservationRejected as ObservationRejected,
    PriceChanged as PriceChanged,
    Product as Product,
    ProductChanged as ProductChanged,
    RecordCompetitorPrice as RecordCompetitorPrice,
    SetCost as SetCost,
    SetPrice as SetPrice,
    SuggestProduct as SuggestProduct,
    TrackCompetitorPage as TrackCompetitorPage,
    UpsertProduct as UpsertProduct,
)
from .domain.shop.customers import (
    BackInStock as BackInStock,
    ConsentChanged as ConsentChanged,
    Customer as Customer,
    CustomerActivityRecorded as CustomerActivityRecorded,
    CustomerChanged as CustomerChanged,
    RecordCustomerActivity as RecordCustomerActivity,
    SetConsent as SetConsent,
    SubscribeBackInStock as SubscribeBackInStock,
    UpsertCustomer as UpsertCustomer,
)
from .domain.shop.inventory import (
    AdjustStock as AdjustStock,
    SetStock as SetStock,
    StockChanged as StockChanged,
    StockCount as StockCount,
    StockLevel as StockLevel,
    StockRanLow as StockRanLow,
    StockReported as StockReported,
    TransferStock as TransferStock,
)
from .domain.shop.messages import (
    MailReceived as MailReceived,
    MessageQueued as MessageQueued,
    SendMessage as SendMessage,
    SuppressAddress as SuppressAddress,
)
from .domain.shop.orders import (
    ApproveOrder as ApproveOrder,
    CancelOrder as CancelOrder,
    CompleteDelivery as CompleteDelivery,
    DeliveryConfirmed as DeliveryConfirmed,
    FulfilOrder as FulfilOrder,
    HoldOrder as HoldOrder,
    Line as Line,
    Order as Order,
    OrderApproved as OrderApproved,
    OrderCancelled as OrderCancelled,
    OrderDelivered as OrderDelivered,
    OrderFulfilled as OrderFulfilled,
    OrderHeld as OrderHeld,
    OrderPlaced as OrderPlaced,
    OrderReleased as OrderReleased,
    OrderStatus as OrderStatus,
    PlaceOrder as PlaceOrder,
    ReleaseOrder as ReleaseOrder,
    ShippingDelayed as ShippingDelayed,
)
from .domain.shop.payments import (
    AuthorizePayment as AuthorizePayment,
    CapturePayment as CapturePayment,
    OrderRefunded as OrderRefunded,
    PaymentAuthorized as PaymentAuthorized,
    PaymentFailed as PaymentFailed,
    PaymentMethodChanged as PaymentMethodChanged,
    PaymentReceived as PaymentReceived,
    Refund as Refund,
    SetPaymentMethod as SetPaymentMethod,
)
from .domain.shop.promotions import (
    BundleChanged as BundleChanged,
    CampaignStarted as CampaignStarted,
    CreateDiscount as CreateDiscount,
    DiscountCreated as DiscountCreated,
    DiscountEnded as DiscountEnded,
    EndDiscount as EndDiscount,
    OfferBundle as OfferBundle,
    RecommendationsChanged as RecommendationsChanged,
    SetRecommendations as SetRecommendations,
    StartCampaign as StartCampaign,
    WithdrawBundle as WithdrawBundle,
)
from .domain.shop.purchasing import (
    CancelPurchaseOrder as CancelPurchaseOrder,
    CreatePurchaseOrder as CreatePurchaseOrder,
    DelayPurchaseOrder as DelayPurchaseOrder,
    PurchaseOrderCancelled as PurchaseOrderCancelled,
    PurchaseOrderCreated as PurchaseOrderCreated,
    PurchaseOrderDelayed as PurchaseOrderDelayed,
    PurchaseOrderReceived as PurchaseOrderReceived,
    ReceivePurchaseOrder as ReceivePurchaseOrder,
)
from .domain.shop.returns import (
    AcceptReturn as AcceptReturn,
    OrderReturned as OrderReturned,
    ReturnRequested as ReturnRequested,
)
from .domain.shop.support import (
    CloseTicket as CloseTicket,
    EscalateTicket as EscalateTicket,
    OpenTicket as OpenTicket,
    RateTicket as RateTicket,
    ReplyToTicket as ReplyToTicket,
    TicketAnswered as TicketAnswered,
    TicketEscalated as TicketEscalated,
    TicketOpened as TicketOpened,
    TicketRated as TicketRated,
)
from .sdk.agent import (
    Agent as Agent,
    Proposals as Proposals,
    agent as agent,
)
from .sdk.client import (
    Client as Client,
    RequestRejected as RequestRejected,
    Unreachable as Unreachable,
)
from .sdk.context import (
    Context as Context,
)
from .sdk.schedule import (
    cron as cron,
    every as every,
)
from .sdk.service import (
    ServiceAgent as ServiceAgent,
)
from .sdk.serving import (
    serve as serve,
)
from .sdk.settings import (
    AgentSettings as AgentSettings,
)
from .testing.fake_store import (
    FakeStore as FakeStore,
)
from .testing.run_agent import (
    run_agent as run_agent,
)
